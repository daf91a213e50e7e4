public import Configuration
public import Reactor

/// One address of one target of an upstream: where a connection goes.
public struct UpstreamEndpoint: Hashable, Sendable {
    /// The target that the address was found for; of TLS it says whose certificate is expected.
    public let target: UpstreamTarget
    /// The address.
    public let address: SocketAddress

    /// Makes an endpoint.
    public init(target: UpstreamTarget, address: SocketAddress) {
        self.target = target
        self.address = address
    }
}

/// Names an endpoint of one ``UpstreamBalancer``: it stays unequal to every later one, whatever becomes of the list.
public struct EndpointID: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}
