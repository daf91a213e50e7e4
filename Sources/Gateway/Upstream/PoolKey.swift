public import Reactor

/// What idle connections are kept by: everything that makes one as trustworthy as another.
///
/// A connection that was made under other TLS settings, for another target, or for another client where the upstream is told
/// of clients by connection, is another connection even where the address is the same.
public struct PoolKey: Hashable, Sendable {
    /// The upstream and target with all their settings of trust.
    public let identity: UpstreamIdentity
    /// The address.
    public let address: SocketAddress
    /// The one client's connection that the connection serves, where it began with a PROXY header; nothing where it serves any.
    public let client: UInt64?

    /// Makes a key.
    public init(identity: UpstreamIdentity, address: SocketAddress, client: UInt64? = nil) {
        self.identity = identity
        self.address = address
        self.client = client
    }
}
