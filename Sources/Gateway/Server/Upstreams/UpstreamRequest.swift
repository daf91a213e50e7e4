import Bytes
import HTTP

/// One request to an upstream, as the connection that serves it sees it: asked for its head, told of its answer.
///
/// The connection lets go of the request before it tells how that ended.
class UpstreamRequest {
    /// The connection that serves it.
    final var connection: UpstreamConnection?
    /// What is sent first: without it no connection takes the request.
    final var outgoing: OutgoingHead?

    // What the connection's driver keeps of it.
    /// The HTTP/2 stream.
    final var stream: Int32 = 0
    /// Whether any byte of an answer has come.
    final var answerBegan = false
    /// Whether the connection had served an earlier request.
    final var isOnReusedConnection = false
    /// Whether all of the request has been handed over.
    final var isSent = false
    /// Whether it was told that there is no room for content, and not yet that there is again.
    final var isHeldUp = false
    /// Whether the upstream has agreed to speak another protocol: from then on bytes pass as they are, both ways.
    final var isSwitched = false
    /// Whether anything has moved since the deadline was looked at.
    final var hasProgressed = false
    /// Whether the answer waits for its reader.
    final var isStalled = false
    /// When the upstream must have done what it has to do next, in monotonic nanoseconds.
    final var due = Int64.max
    /// Whether ``due`` is the time of the answer's head, which is set once and not moved.
    final var awaitsHead = false

    /// Whether there is something that may be sent.
    final var isPrepared: Bool {
        switch outgoing {
        case .some: true
        case .none: false
        }
    }

    /// Whether the request asks for another protocol, so that content comes only once that is agreed on.
    final var isUpgrade: Bool {
        switch outgoing {
        case .some(let head): head.isUpgrade
        case .none: false
        }
    }

    /// Lends the head that is to be sent.
    final func lendHead(to body: (borrowing RequestHead) -> Void) {
        switch outgoing {
        case .some(let head): head.lend(to: body)
        case .none: break
        }
    }

    /// Forgets an earlier connection; but not that who sends content was told to wait, and must be told to go on.
    final func attach(to connection: UpstreamConnection) {
        self.connection = connection
        stream = 0
        answerBegan = false
        isOnReusedConnection = false
        isSent = false
        isSwitched = false
        hasProgressed = true
        isStalled = false
        due = .max
        awaitsHead = false
    }

    /// Whether no content will come beyond what was handed over.
    var isWhole: Bool { true }
    /// Whether more of the answer has nowhere to go.
    var isBlocked: Bool { false }

    /// The connection is made: content may follow.
    func connected() {}
    /// The head of the answer has come, in ``Worker/upstreamHead``; without content, the answer is whole.
    func answered(hasBody: Bool) {}
    /// Content of the answer has come.
    func received(_ bytes: Span<UInt8>) {}
    /// The answer is whole; what its trailers said is in ``Worker/upstreamTrailers``.
    func ended() {}
    /// The upstream agrees to the other protocol (101), by the head in ``Worker/upstreamHead``.
    func switched() {}
    /// There will be no whole answer.
    func failed(_ failure: UpstreamFailure) {}
    /// There is room for content again.
    func writable() {}
}
