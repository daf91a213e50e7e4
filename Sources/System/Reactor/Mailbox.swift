import Synchronization

/// Messages from other threads to one thread that has a ``Poller``.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    /// Rings while there are messages.
    public let bell: Wakeup

    /// Makes an empty box.
    public init() throws(SystemError) {
        bell = try Wakeup()
    }

    /// Puts a message in: from any thread.
    public func post(_ message: Message) {
        messages.withLock { $0.append(message) }
        bell.ring()
    }

    /// Takes all messages out, oldest first.
    public func take() -> [Message] {
        bell.silence()
        return messages.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
