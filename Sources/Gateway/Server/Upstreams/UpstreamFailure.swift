import Exchange
import Upstream

/// How a request fared that got no whole answer.
struct UpstreamFailure: Equatable {
    /// What the upstream can have seen of it.
    let kind: RetryRule.Failure
    /// What the client is told.
    let code: ProblemCode
    /// The exact reason, for the record.
    let reason: String

    private init(_ kind: RetryRule.Failure, _ code: ProblemCode, _ reason: String) {
        self.kind = kind
        self.code = code
        self.reason = reason
    }

    /// No connection could be made, or none that can be trusted.
    static func unreachable(_ reason: String) -> UpstreamFailure {
        UpstreamFailure(.unconnected, .upstreamFailed, reason)
    }
    /// The connection or stream ended before the answer.
    static func broken(_ reason: String) -> UpstreamFailure { UpstreamFailure(.broken, .upstreamFailed, reason) }

    /// The gateway refuses to give the upstream more than it has already.
    static let overloaded = UpstreamFailure(.timedOut, .unavailable, "upstream.overloaded")
    /// The connection was not made in time.
    static let connectTimeout = UpstreamFailure(.unconnected, .upstreamTimeout, "upstream.connect-timeout")
    /// The answer did not come, or go on, in time.
    static let timeout = UpstreamFailure(.timedOut, .upstreamTimeout, "upstream.timeout")
    /// What came is no answer.
    static let malformed = UpstreamFailure(.malformed, .upstreamFailed, "upstream.malformed")
    /// The upstream says that it has not touched the request (RFC 9113 §8.7).
    static let refusedStream = UpstreamFailure(.notProcessed, .upstreamFailed, "upstream.refused-stream")

    /// The same for a request that only waited: nothing of it was sent.
    var ofUnsent: UpstreamFailure { UpstreamFailure(.unconnected, code, reason) }

    /// What that teaches about the endpoint.
    ///
    /// Who is busy, and says so, works.
    var outcome: EndpointOutcome { self == .overloaded || kind == .notProcessed ? .cancelled : .failure }
}
