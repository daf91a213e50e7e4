public import Bytes
public import Configuration

/// When the endpoints of an upstream are asked whether they work, and what their answers mean.
///
/// The first answer of an endpoint decides at once; later ones count in a row. Envoy takes an endpoint out at its first bad
/// answer and counts only those that do not come; here all that is not a good answer counts, as nginx and HAProxy have it.
public struct HealthProbe: Sendable {
    /// A change of mind about an endpoint.
    public enum Transition: Equatable, Sendable {
        /// It works, as far as is known for the first time or again.
        case healthy
        /// It does not work (any more).
        case unhealthy
    }

    private struct State: Sendable {
        /// When it is to be asked, or nothing while it is being asked.
        var due: MonotonicTime?
        var isHealthy: Bool?
        /// Answers in a row that contradict.
        var contradictions = 0
    }

    /// How they are asked.
    public let settings: ActiveHealthSettings
    private var states: [UpstreamEndpoint: State] = [:]

    /// Makes a schedule of no endpoints.
    public init(_ settings: ActiveHealthSettings) {
        self.settings = settings
    }

    /// Whether an answer with that status is good: 200 to 299.
    public static func passes(status: Int) -> Bool { (200...299).contains(status) }

    /// When the next endpoint is to be asked, or nothing where none waits for that.
    public var nextDue: MonotonicTime? { states.values.compactMap(\.due).min() }

    /// What is known of an endpoint, or nothing.
    public func isHealthy(_ endpoint: UpstreamEndpoint) -> Bool? { states[endpoint]?.isHealthy }

    /// Watches these endpoints from now on: new ones are asked at once, and others are forgotten.
    public mutating func update(endpoints: [UpstreamEndpoint], now: MonotonicTime) {
        var next: [UpstreamEndpoint: State] = [:]
        for endpoint in endpoints { next[endpoint] = states[endpoint] ?? State(due: now) }
        states = next
    }

    /// The endpoints that are to be asked now, in no order.
    ///
    /// Of each ``finished(_:passed:random:now:)`` must be told, within the time that the settings allow.
    public mutating func takeDue(now: MonotonicTime) -> [UpstreamEndpoint] {
        let due = states.filter { $0.value.due.map { $0 <= now } ?? false }.map(\.key)
        for endpoint in due { states[endpoint]?.due = nil }
        return due
    }

    /// Takes note of how an endpoint has answered.
    ///
    /// - Parameters:
    ///   - endpoint: the endpoint; one that is no longer watched, or was not being asked, is left alone.
    ///   - passed: whether a good answer came in time.
    ///   - random: any number; it spreads the endpoints of many gateways over the interval.
    ///   - now: the moment.
    /// - Returns: a change of mind about the endpoint.
    public mutating func finished(
        _ endpoint: UpstreamEndpoint, passed: Bool, random: UInt64, now: MonotonicTime
    ) -> Transition? {
        guard var state = states[endpoint], state.due == nil else { return nil }
        state.due = now + pause(random)
        let changes: Bool
        if let isHealthy = state.isHealthy {
            state.contradictions = isHealthy == passed ? 0 : state.contradictions + 1
            changes = state.contradictions >= (passed ? settings.healthyAfter : settings.unhealthyAfter)
        } else {
            changes = true
        }
        if changes {
            state.isHealthy = passed
            state.contradictions = 0
        }
        states[endpoint] = state
        return changes ? (passed ? .healthy : .unhealthy) : nil
    }

    /// The interval, up to a tenth shorter.
    private func pause(_ random: UInt64) -> Interval {
        let length = settings.interval.nanoseconds
        return Interval(nanoseconds: length - Int64(random % UInt64(max(1, length / 10))))
    }
}
