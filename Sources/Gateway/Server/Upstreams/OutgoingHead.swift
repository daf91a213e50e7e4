import Bytes
import Exchange
import HTTP

/// What an upstream is sent first, and the evidence that it may be: there is nothing else that a connection takes.
enum OutgoingHead: ~Copyable {
    /// A call that is permitted and on record.
    case call(ForwardableRequest)
    /// The bytes of a client's connection that may pass, and is on record.
    case bytes(ForwardablePassage)
    /// A question of the gateway's own.
    case check(HealthQuestion)

    /// Lends the head, where there is one.
    borrowing func lend(to body: (borrowing RequestHead) -> Void) {
        switch self {
        case .call(let request): body(request.head)
        case .bytes: break
        case .check(let question): body(question.head)
        }
    }

    /// Whether it asks for another protocol.
    var isUpgrade: Bool {
        switch self {
        case .call(let request): !request.head.upgrade.isEmpty
        case .bytes: false
        case .check: false
        }
    }

    /// Gives a call's request up, so that its memory can be used again.
    consuming func intoRequest() -> ForwardableRequest? {
        switch consume self {
        case .call(let request): return request
        case .bytes: return nil
        case .check: return nil
        }
    }
}

/// A request of the gateway's own that asks an endpoint whether it works: nothing of any client is in it.
struct HealthQuestion: ~Copyable {
    fileprivate let head: RequestHead

    /// Asks for a path.
    ///
    /// - Parameters:
    ///   - path: as configured.
    ///   - authority: the target's.
    init(path: String, authority: String) {
        var head = RequestHead()
        head.method.append("GET")
        head.target.append(utf8: path)
        head.authority.append(utf8: authority)
        head.fields.append(literal: "user-agent", value: "sallyport-health".utf8.span)
        self.head = head
    }
}
