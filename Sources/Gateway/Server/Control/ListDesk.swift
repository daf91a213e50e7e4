import Configuration
import Control
import Identity
import Reactor
import Synchronization

/// What a look at a source of revocation lists has brought.
struct ListAnswer: Sendable {
    /// Where it looked.
    let location: RevocationListLocation
    let reading: RevocationListReading
    /// What the file was, where there is one.
    let mark: FileMark?
}

/// The thread that reads revocation lists: to read one of some megabytes takes longer than anybody may wait for the control
/// thread.
final class ListDesk: Sendable {
    /// Something to read.
    enum Order: Sendable {
        /// A file, unless it is what it was.
        case file(RevocationListLocation, known: FileMark?)
        /// The answer of a server.
        case answer(Result<IncomingResponse, RetrievalError>, from: RevocationListLocation)
    }

    private struct Inbox {
        var orders: [Order] = []
        var isStopped = false
    }

    private let inbox = Mutex(Inbox())
    private let bell: Wakeup
    private let listener: @Sendable (ListAnswer) -> Void

    /// - Parameter listener: is told what came of each order, on the desk's thread.
    init(listener: @escaping @Sendable (ListAnswer) -> Void) throws(SystemError) {
        self.listener = listener
        bell = try Wakeup()
    }

    /// Gives an order; from any thread, never waits.
    func put(_ order: Order) {
        inbox.withLock { $0.orders.append(order) }
        bell.ring()
    }

    func stop() {
        inbox.withLock { $0.isStopped = true }
        bell.ring()
    }

    /// Runs until it is stopped.
    func run() {
        while true {
            let (order, isStopped) = inbox.withLock { inbox in
                (inbox.orders.isEmpty ? nil : inbox.orders.removeFirst(), inbox.isStopped)
            }
            if isStopped { return }
            if let order { listener(Self.answer(order)) } else { bell.wait(timeout: 600_000) }
        }
    }

    private static func answer(_ order: Order) -> ListAnswer {
        switch order {
        case .file(let location, let known): look(location, known)
        case .answer(let result, let location):
            ListAnswer(location: location, reading: RevocationListReading(result), mark: nil)
        }
    }

    // MARK: Files

    private static func look(_ location: RevocationListLocation, _ known: FileMark?) -> ListAnswer {
        let path = location.text
        let before = FileMark(path: path)
        if let before, before == known { return ListAnswer(location: location, reading: .unchanged, mark: known) }
        do throws(NamedFile.Failure) {
            let file = try NamedFile(path: path, atMost: RevocationListLocation.maximumByteCount)
            // Somebody is writing: the next look sees the end of it.
            guard file.mark == FileMark(path: path) else {
                return ListAnswer(location: location, reading: .unchanged, mark: known)
            }
            return ListAnswer(location: location, reading: RevocationListReading(file: file.bytes), mark: file.mark)
        } catch {
            return ListAnswer(location: location, reading: .failed("the file \(error.reason)"), mark: nil)
        }
    }
}
