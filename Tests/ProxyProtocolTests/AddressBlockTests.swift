import Testing

@testable import ProxyProtocol

@Suite("Address blocks")
struct AddressBlockTests {
    private static let ten: UInt32 = 10 << 24
    private static let documentation: UInt64 = 0x2001_0DB8 << 32

    @Test(
        "A block holds its first and last address and no neighbour",
        arguments: [(8, UInt32(0x0A00_0000), UInt32(0x0AFF_FFFF)), (32, 0x0A00_0001, 0x0A00_0001), (31, 2, 3)])
    func ipv4(_ length: Int, _ first: UInt32, _ last: UInt32) throws {
        let block = try #require(AddressBlock(.ipv4(first), prefixLength: length))
        #expect(block.contains(.ipv4(first)))
        #expect(block.contains(.ipv4(last)))
        #expect(!block.contains(.ipv4(first - 1)))
        #expect(!block.contains(.ipv4(last + 1)))
    }

    @Test(
        "A block of IPv6 ends where its prefix says",
        arguments: [
            (32, documentation | 0xFFFF_FFFF, UInt64.max, true), (32, documentation + 1 << 32, 0, false),
            (64, documentation, UInt64.max, true), (64, documentation + 1, 0, false),
            (96, documentation, 0xFFFF_FFFF, true),
            (96, documentation, 1 << 32, false), (128, documentation, 0, true), (128, documentation, 1, false),
        ] as [(Int, UInt64, UInt64, Bool)])
    func ipv6(_ length: Int, _ high: UInt64, _ low: UInt64, _ isInside: Bool) throws {
        let block = try #require(AddressBlock(.ipv6(Self.documentation, 0), prefixLength: length))
        #expect(block.contains(.ipv6(high, low)) == isInside)
    }

    @Test("A block of length 0 holds every address of its family and none of the other")
    func everything() throws {
        let block = try #require(AddressBlock(.ipv4(0), prefixLength: 0))
        #expect(block.contains(.ipv4(.max)))
        #expect(!block.contains(.ipv6(Self.documentation, 0)))
        let other = try #require(AddressBlock(.ipv6(0, 0), prefixLength: 0))
        #expect(other.contains(.ipv6(.max, .max)))
        #expect(!other.contains(.ipv4(0)))
    }

    @Test("An IPv4 address that an IPv6 socket shows is of the IPv4 block")
    func mapped() throws {
        let block = try #require(AddressBlock(.ipv4(Self.ten), prefixLength: 8))
        #expect(block.contains(.ipv6(0, 0xFFFF_0A01_0203)))
        #expect(!block.contains(.ipv6(0, 0xFFFF_0B01_0203)))
        #expect(!block.contains(.ipv6(0, 0x0A01_0203)))
        let six = try #require(AddressBlock(.ipv6(0, 0xFFFF_0A00_0000), prefixLength: 104))
        #expect(six.contains(.ipv6(0, 0xFFFF_0A01_0203)))
    }

    @Test(
        "Bits behind the prefix, and lengths out of range, make no block",
        arguments: [(ten + 1, 8), (ten, -1), (ten, 33), (1, 31)])
    func refused(_ address: UInt32, _ length: Int) {
        #expect(AddressBlock(.ipv4(address), prefixLength: length) == nil)
    }

    @Test("The longest prefix of IPv6 is 128", arguments: [(128, true), (129, false)])
    func longest(_ length: Int, _ isBlock: Bool) {
        #expect((AddressBlock(.ipv6(0, 1), prefixLength: length) != nil) == isBlock)
    }
}
