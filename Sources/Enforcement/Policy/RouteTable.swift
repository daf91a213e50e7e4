public import HTTP

/// All routes, in their order: the first that matches is the one.
public final class RouteTable: Sendable {
    /// The routes, in order.
    public let routes: [Route]
    private let index: RouteIndex

    /// Makes a table; an empty one lets nothing pass.
    public init(_ routes: [Route]) {
        self.routes = routes
        index = RouteIndex(routes.map(\.match.path))
    }

    /// The first route that is for such a request, or nothing.
    ///
    /// - Parameters:
    ///   - method: as it came.
    ///   - host: the authority, with or without a port.
    ///   - target: normalised.
    public func match(method: Span<UInt8>, host: Span<UInt8>, target: borrowing NormalizedTarget) -> Route? {
        let found = index.first(for: target) { routes[$0].match.accepts(method: method, host: host) }
        return found.map { routes[$0] }
    }
}
