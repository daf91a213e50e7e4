/// The addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`.
///
/// A block of IPv4 holds no address of IPv6 and the other way round, but for the IPv4 address that an IPv6 socket shows mapped.
public struct AddressBlock: Hashable, Sendable {
    /// The first address.
    public let first: NetworkAddress
    /// The number of bits that its addresses share.
    public let prefixLength: Int

    /// Makes a block; nothing where the length is out of range, or `first` has bits behind its prefix.
    public init?(_ first: NetworkAddress, prefixLength: Int) {
        self.first = first
        self.prefixLength = prefixLength
        guard (0...Self.width(of: first)).contains(prefixLength), mask(first) == first else {
            return nil
        }
    }

    /// Whether the address is one of the block.
    public func contains(_ address: NetworkAddress) -> Bool {
        mask(address) == first || mask(address.unmapped) == first
    }

    /// The address without what is behind the prefix.
    private func mask(_ address: NetworkAddress) -> NetworkAddress {
        switch address {
        case .ipv4(let bits): .ipv4(bits & (UInt32.max << UInt32(32 - min(prefixLength, 32))))
        case .ipv6(let high, let low):
            .ipv6(
                high & (UInt64.max << UInt64(64 - min(prefixLength, 64))),
                low & (UInt64.max << UInt64(64 - max(0, prefixLength - 64))))
        }
    }

    private static func width(of address: NetworkAddress) -> Int {
        switch address {
        case .ipv4: 32
        case .ipv6: 128
        }
    }
}
