import Bytes
import Testing

@testable import Audit

@Suite("The ring of bytes")
struct ByteRingTests {
    @Test(
        "Its size is the next power of two, 4 KiB at least",
        arguments: [
            (0, 4096), (4096, 4096), (4097, 8192), (100_000, 131_072),
        ])
    func size(minimum: Int, expected: Int) {
        let ring = ByteRing(minimum: minimum)
        let capacity = ring.capacity
        #expect(capacity == expected)
    }

    @Test(
        "What is written at a position is read there, across the end too",
        arguments: [
            0, 1, 4095, 4096, 8191, 1_000_003, UInt64(1) << 40 + 4090,
        ] as [UInt64])
    func positions(position: UInt64) {
        let ring = ByteRing(minimum: 4096)
        let bytes = (0..<100).map { UInt8($0) }
        ring.write(bytes.span, at: position)
        var read = ByteQueue()
        ring.read(100, at: position, into: &read)
        #expect(Array(copying: read.readable) == bytes)
        #expect(ring.byte(at: position + 99) == 99)
    }
}
