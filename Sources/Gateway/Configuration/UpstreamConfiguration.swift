/// A service behind the gateway.
public struct UpstreamConfiguration: Equatable, Sendable {
    /// The name that routes use.
    public var name: String
    /// Where it can be reached; at least one.
    public var targets: [UpstreamTarget]
}
