public import Configuration

/// Counts what is under way at one upstream, and says when that is too much.
///
/// An upstream that has become slow gathers requests until it takes the gateway's memory and descriptors with it; beyond a
/// bound it is kinder to all others, and to itself, to refuse. One worker's; the counts go down exactly as they went up.
public struct CircuitBreaker: Sendable {
    /// What there is too much of.
    public enum Limit: String, Equatable, Sendable {
        /// Open connections.
        case connections
        /// Requests that wait for a connection.
        case pending
        /// Requests under way.
        case requests
    }

    /// The bounds.
    public var settings: CircuitBreakerSettings
    /// Open connections, those that are being made and idle ones included.
    public private(set) var connections = 0
    /// Requests that wait for a connection to be made.
    public private(set) var pending = 0
    /// Requests under way.
    public private(set) var requests = 0

    /// Makes a breaker with nothing under way.
    public init(_ settings: CircuitBreakerSettings) {
        self.settings = settings
    }

    /// Why no request may begin, or nothing where one may.
    @inlinable public var requestRefusal: Limit? {
        requests >= settings.requests ? .requests : nil
    }

    /// Why no request may wait for a connection that is being made, or nothing where one may.
    @inlinable public var waitRefusal: Limit? {
        pending >= settings.pending ? .pending : nil
    }

    /// Why no connection may be opened for a request, or nothing where one may.
    ///
    /// Whoever is refused for ``Limit/connections`` may close an idle connection and ask again.
    @inlinable public var connectionRefusal: Limit? {
        connections >= settings.connections ? .connections : waitRefusal
    }

    mutating func requestBegan() { requests += 1 }
    mutating func requestEnded() { requests = max(0, requests - 1) }
    mutating func connectionOpened() { connections += 1 }
    mutating func connectionClosed() { connections = max(0, connections - 1) }
    mutating func waitBegan() { pending += 1 }
    mutating func waitEnded() { pending = max(0, pending - 1) }
}
