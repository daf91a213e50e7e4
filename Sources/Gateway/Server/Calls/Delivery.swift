import Bytes
import Exchange
import HTTP
import Upstream

/// An allowed call's way to its upstream: chooses where it goes, sends it, and sends it again where that is safe.
final class Delivery: UpstreamRequest {
    private unowned let call: Call
    private var worker: Worker { call.worker }
    private var forwardable: ForwardableRequest?
    private var group: UpstreamGroup?
    private var attempts = 0

    init(of call: Call) {
        self.call = call
    }

    /// Whether a request was made for the upstream.
    var hasBegun: Bool {
        switch forwardable {
        case .some: true
        case .none: false
        }
    }

    /// Sends the request.
    func begin(_ request: consuming ForwardableRequest) {
        group = worker.upstream(request.upstream)
        forwardable = consume request
        attempts = 0
        connect(fresh: false)
    }

    /// Gives the request up, if one is under way.
    func abandon() {
        guard let connection else { return }
        connection.abandon(self)
    }

    /// Takes the request out, so that its memory can be used again.
    func takeRequest() -> ForwardableRequest? {
        group = nil
        return forwardable.take()
    }

    // MARK: The request

    override var isWhole: Bool { call.hasWholeRequest }

    override func lendHead(to body: (borrowing RequestHead) -> Void) {
        switch forwardable {
        case .some(let request): body(request.head)
        case .none: break
        }
    }

    var canTakeBody: Bool { connection?.canTakeBody(self) ?? true }

    func send(_ bytes: Span<UInt8>) {
        connection?.sendBody(bytes, of: self)
    }

    func end() {
        connection?.endBody(of: self)
    }

    override func writable() {
        call.upstreamWritable()
    }

    private var isRepeatable: Bool {
        switch forwardable {
        case .some(let request): request.isRepeatable
        case .none: false
        }
    }

    private func connect(fresh: Bool) {
        guard let group, let place = group.choose(attempt: attempts) else {
            return call.upstreamFailed(.unreachable("upstream.unknown"))
        }
        attempts += 1
        if !fresh, let available = place.available() { return available.serve(self) }
        do {
            try UpstreamConnection(worker: worker, place: place).serve(self)
        } catch {
            failed(.unreachable("upstream.refused"))
        }
    }

    // MARK: The answer

    override var isBlocked: Bool { call.isAnswerBlocked }

    override func answered(hasBody: Bool) {
        call.upstreamAnswered(worker.upstreamHead, hasBody: hasBody)
    }

    override func received(_ bytes: Span<UInt8>) {
        call.upstreamSent(bytes)
    }

    override func ended() {
        call.upstreamEnded()
    }

    /// The client has taken most of what was sent.
    func resume() {
        connection?.resume(self)
    }

    override func failed(_ failure: UpstreamFailure) {
        switch failure {
        case .unreachable where attempts < group?.placeCount ?? 0:
            connect(fresh: true)
        case .broken
        where RetryRule.repeats(
            wasReused: isOnReusedConnection, answerBegan: answerBegan, isRepeatable: isRepeatable, attempts: attempts):
            connect(fresh: true)
        default:
            call.upstreamFailed(failure)
        }
    }
}
