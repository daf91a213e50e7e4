import Bytes
import Exchange
import HTTP

/// One client connection's protocol: turns plaintext into calls, and their answers into plaintext.
///
/// It owns a machine of the Protocol floor and does what that says; it decides nothing about a call.
class ConnectionDriver {
    unowned let connection: ClientConnection
    final var worker: Worker { connection.worker }

    init(connection: ClientConnection) {
        self.connection = connection
    }

    /// How much unsent answer makes an upstream pause, and how little lets it go on; in bytes.
    static let highMark = 256 << 10
    static let lowMark = 64 << 10

    /// The connection is ready.
    func start() {}
    /// Takes plaintext off the front of `bytes`; what stays there is brought again by ``ClientConnection/wantsInput()``.
    func input(_ bytes: inout ByteQueue) {}
    /// The client has ended its side.
    func endOfInput() {}
    /// The client is gone, as far as can be seen: it has closed its socket, and not only said that it sends no more.
    func peerLeft() {}
    /// Appends plaintext that may go now, about `bytes` of it at most.
    func produce(into output: inout ByteQueue, upTo bytes: Int) {}
    /// What was produced has been written as far as the socket takes it.
    func flushed() {}
    /// Takes no more requests, and ends when those that there are have been answered.
    ///
    /// - Parameter isLast: whether a client that has asked nothing yet has had its time to; it is told twice.
    func drain(isLast: Bool) {}
    /// The connection is gone: its calls end, for that reason.
    func closed(_ reason: String) {}

    /// The calls that are under way, answered in part or not at all.
    var calls: [Call] { [] }
    /// Whether the protocol has a way to say that a call is denied; where not, it is cut off.
    var canAnswer: Bool { true }
    /// Whether no input can be taken until a call or its upstream has made progress.
    var isPaused: Bool { false }
    /// Whether the end of input can be taken now.
    var takesEnd: Bool { !isPaused }
    /// Grows with every step towards the end of a call that the client has made: what `idle` is measured from.
    var progress: UInt64 { 0 }
    /// Whether the client has to do something next: send, or take what was sent.
    var awaitsClient: Bool { true }
    /// Whether bytes pass that are not judged one by one, so that they must end with what lets them.
    var passesBytes: Bool { false }
    /// Whether no call is under way.
    var isIdle: Bool { false }
    /// Whether part of a request's head has come.
    var isInHead: Bool { false }
    /// Whether the connection is to be closed when everything is written.
    var isFinished: Bool { false }
    /// Whether the client may still be sending when the connection is closed, and must not be cut off.
    var lingers: Bool { false }

    /// No request follows the call's on this connection.
    func closeAfterAnswer(of call: Call, endsConnection: Bool) {}
    /// Asks for a request's content (RFC 9110 §10.1.1).
    func sendContinue(_ call: Call) {}
    /// Sends the head of an answer; nothing follows where `ends` says so.
    func sendHead(_ head: borrowing ResponseHead, of call: Call, ends: Bool) {}
    /// Sends content of an answer.
    func sendBody(_ bytes: Span<UInt8>, of call: Call) {}
    /// Ends an answer.
    func endBody(of call: Call, trailers: borrowing FieldTable) {}
    /// Agrees to speak another protocol: what is sent from now on are its bytes, and so is what comes.
    func switchProtocols(_ head: borrowing ResponseHead, of call: Call) {}
    /// Ends an answer that cannot be ended well, so that the client cannot take it for whole.
    func abort(_ call: Call) {}
    /// The bytes of the answer that wait to be sent.
    func pending(_ call: Call) -> Int { 0 }
    /// The call can take content again.
    func resumeInput(of call: Call) {}
}
