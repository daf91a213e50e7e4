import Bytes
import Testing

@testable import Revocation

@Suite("StatusList")
struct StatusListTests {
    private func list(_ bits: Int, _ bytes: [UInt8]) -> StatusList {
        StatusList(uri: "https://example.com/1", bits: bits, bytes: bytes, issuedAt: UnixTime(seconds: 0))
    }

    @Test("Statuses of one bit are read as the draft prints them")
    func oneBit() {
        let list = list(1, [0xb9, 0xa3])
        #expect(list.count == 16)
        #expect((0..<16).map { list.status(at: $0) } == [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1])
    }

    @Test("Statuses of two bits are read as the draft prints them")
    func twoBits() {
        let list = list(2, [0xc9, 0x44, 0xf9])
        #expect((0..<12).map { list.status(at: $0) } == [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3])
    }

    @Test("Statuses of four and eight bits are read from the low end of each byte")
    func wide() {
        #expect((0..<4).map { list(4, [0x21, 0xf3]).status(at: $0) } == [1, 2, 3, 15])
        #expect((0..<2).map { list(8, [0x21, 0xf3]).status(at: $0) } == [0x21, 0xf3])
    }

    @Test("There is no status beyond the list", arguments: [1, 2, 4, 8])
    func range(bits: Int) {
        let list = list(bits, [0, 0])
        #expect(list.status(at: list.count - 1) == 0)
        #expect(list.status(at: list.count) == nil)
        #expect(list.status(at: -1) == nil)
        #expect(list.status(at: .max) == nil)
    }
}
