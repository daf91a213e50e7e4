public import Bytes

/// What one limit is of, and how much it allows.
public struct LimitPolicy: Equatable, Sendable {
    /// What is counted.
    public enum Measure: String, Sendable {
        /// Requests, over a window of time.
        case requests
        /// Bytes of content, over a window of time.
        case bytes
        /// Requests at a time.
        case concurrent
    }

    /// What the limit belongs to.
    public let kind: LimitScope.Kind
    /// Whether each agent has it for itself.
    public let isPerAgent: Bool
    /// What is counted.
    public let measure: Measure
    /// How much is allowed in a window.
    public let quota: UInt64
    /// The length of the window; nothing where it counts what is at a time.
    public let window: Interval?

    /// What it is called in an answer; never the name of a route or a listener, which is nobody's business.
    public var name: StaticString {
        switch (kind, isPerAgent) {
        case (.listener, false): "listener"
        case (.listener, true): "listener-agent"
        case (.route, false): "route"
        case (.route, true): "route-agent"
        }
    }
}

/// How much of a limit is left, for the fields `RateLimit-Policy`, `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) and
/// `Retry-After` (RFC 9110 §10.2.3).
public struct LimitStatus: Equatable, Sendable {
    /// The limit.
    public let policy: LimitPolicy
    /// How much may still be asked at once.
    public let remaining: UInt64
    /// Where nothing remains, how long until a request may pass; elsewhere, until all of the quota is there again.
    public let resetsIn: Interval

    /// The same in whole seconds, rounded up; at least 1.
    public var retryAfter: UInt64 {
        UInt64(max(1, (resetsIn.nanoseconds + 999_999_999) / 1_000_000_000))
    }

    /// What the audit record says of a refusal: stable and dotted, such as `limit.route-agent.requests`.
    public var reason: String { "limit.\(policy.name).\(policy.measure.rawValue)" }

    /// Appends the value of `RateLimit-Policy`, such as `"route-agent";q=200;w=2`.
    public func appendPolicy(to output: inout ByteQueue) {
        appendName(to: &output)
        output.append(";q=")
        output.append(decimal: policy.quota)
        switch policy.measure {
        case .requests: break
        case .bytes: output.append(";qu=\"content-bytes\"")
        case .concurrent: output.append(";qu=\"concurrent-requests\"")
        }
        guard let window = policy.window else { return }
        output.append(";w=")
        output.append(decimal: UInt64(max(1, window.seconds)))
    }

    /// Appends the value of `RateLimit`, such as `"route-agent";r=0;t=3`.
    public func appendStatus(to output: inout ByteQueue) {
        appendName(to: &output)
        output.append(";r=")
        output.append(decimal: remaining)
        output.append(";t=")
        output.append(decimal: retryAfter)
    }

    private func appendName(to output: inout ByteQueue) {
        output.append(UInt8(ascii: "\""))
        output.append(policy.name)
        output.append(UInt8(ascii: "\""))
    }
}
