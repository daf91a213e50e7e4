import Testing

@testable import ProxyProtocol

@Suite("CRC32C")
struct CRC32CTests {
    @Test(
        "The checksums of RFC 3720 §B.4 come out",
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ([UInt8](0..<32), 0x46DD_794E), ([UInt8]((0..<32).reversed()), 0x113F_DB5C),
            ([UInt8]("123456789".utf8), 0xE306_9283), ([], 0),
        ] as [([UInt8], UInt32)])
    func vectors(_ bytes: [UInt8], _ expected: UInt32) {
        var sum = CRC32C()
        sum.add(bytes.span)
        #expect(sum.value == expected)
    }
}
