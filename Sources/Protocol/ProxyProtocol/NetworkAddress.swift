/// An IP address.
public enum NetworkAddress: Hashable, Sendable {
    /// An IPv4 address in host order.
    case ipv4(UInt32)
    /// The 16 bytes of an IPv6 address as two words, most significant first.
    case ipv6(UInt64, UInt64)

    /// The same address, one of IPv4 inside IPv6 (RFC 4291 §2.5.5.2) as what it is: so that there is one spelling of it.
    public var unmapped: NetworkAddress {
        guard case .ipv6(0, let low) = self, low >> 32 == 0xFFFF else { return self }
        return .ipv4(UInt32(truncatingIfNeeded: low))
    }

    /// The address as one of IPv6.
    var mapped: (UInt64, UInt64) {
        switch self {
        case .ipv4(let address): (0, 0xFFFF_0000_0000 | UInt64(address))
        case .ipv6(let high, let low): (high, low)
        }
    }
}

/// One end of a TCP connection.
public struct NetworkEndpoint: Hashable, Sendable {
    /// The address.
    public let address: NetworkAddress
    /// The port.
    public let port: UInt16

    /// Makes an end.
    public init(_ address: NetworkAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}
