import Bytes
import HTTP

/// One upstream connection's protocol: turns requests into plaintext, and plaintext into their answers.
///
/// It owns a machine of the Protocol floor and does what that says.
class UpstreamDriver {
    unowned let connection: UpstreamConnection
    final var worker: Worker { connection.worker }

    init(connection: UpstreamConnection) {
        self.connection = connection
    }

    // MARK: Requests

    /// Whether another request can be taken on now.
    var canServe: Bool { false }
    /// Whether it is known how many requests it takes at a time.
    var isSettled: Bool { true }
    /// Whether no request is under way.
    var isIdle: Bool { true }
    /// Takes a request on and sends its head.
    func serve(_ request: UpstreamRequest) {}
    /// Whether content can be taken now; where not, the request is told when it can.
    func canTakeBody(_ request: UpstreamRequest) -> Bool { false }
    /// Takes content of a request.
    func sendBody(_ bytes: Span<UInt8>, of request: UpstreamRequest) {}
    /// Ends a request.
    func endBody(of request: UpstreamRequest, trailers: borrowing FieldTable) {}
    /// More of the answer has somewhere to go.
    func resume(_ request: UpstreamRequest) {}
    /// Nobody wants the answer any more.
    func abandon(_ request: UpstreamRequest) {}

    // MARK: The connection

    /// The connection can carry plaintext from now on.
    func opened() {}
    /// Takes plaintext; returns how many bytes are done with, the rest comes again with more behind it.
    func process(_ bytes: Span<UInt8>) -> Int { 0 }
    /// The upstream has ended its side.
    func endOfInput() {}
    /// Nothing more can be sent or received: what has not come whole fails.
    func lost(_ failure: UpstreamFailure) {
        connection.fail(failure)
    }
    /// The connection is gone: its requests hear of it.
    func closed(_ failure: UpstreamFailure) {}
    /// Appends plaintext that may go now, about `bytes` of it at most.
    func produce(into output: inout ByteQueue, upTo bytes: Int) {}
    /// What was produced has been written but for `backlog` bytes.
    func flushed(backlog: Int) {}
    /// Whether input has nowhere to go.
    var isPaused: Bool { false }
    /// Whether the connection is to be closed once everything is written.
    var isFinished: Bool { false }

    // MARK: Time

    /// When the connection must be looked at next, in monotonic nanoseconds.
    func nextDeadline() -> Int64 { .max }
    /// That time has come.
    func deadlinePassed() {}
}
