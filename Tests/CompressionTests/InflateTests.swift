import Bytes
import Testing

@testable import Compression

@Suite("Inflate")
struct InflateTests {
    /// `[b9 a3]` of the Token Status List, compressed.
    private static let vector = bytes("eNrbuRgAAhcBXQ")
    private static func bytes(_ text: String) -> [UInt8] { Base64URL.decode(text.utf8.span) ?? [] }

    private func expand(_ bytes: [UInt8], atMost limit: Int = 1024) -> Result<[UInt8], CompressionError> {
        Result { () throws(CompressionError) in try Inflate.zlib(bytes.span, atMost: limit) }
    }

    @Test(
        "The vectors of the Token Status List are expanded",
        arguments: [("eNrbuRgAAhcBXQ", [0xb9, 0xa3] as [UInt8]), ("eNo76fITAAPfAgc", [0xc9, 0x44, 0xf9])])
    func vectors(text: String, statuses: [UInt8]) {
        #expect(expand(Self.bytes(text)) == .success(statuses))
    }

    @Test("As much as is allowed may come out, and no more")
    func limit() {
        #expect(expand(Self.vector, atMost: 2) == .success([0xb9, 0xa3]))
        #expect(expand(Self.vector, atMost: 1) == .failure(.tooLarge))
        #expect(expand(Self.vector, atMost: 0) == .failure(.tooLarge))
    }

    @Test("Much that comes out of little is stopped where it exceeds the limit")
    func expansion() throws {
        let stored = Self.zeros(blocks: 40)
        #expect(expand(stored, atMost: 40 * 258) == .success([UInt8](repeating: 0, count: 40 * 258)))
        #expect(expand(stored, atMost: 40 * 258 - 1) == .failure(.tooLarge))
    }

    @Test("Whatever is cut off, damaged or followed by something is malformed")
    func malformed() {
        for count in 0..<Self.vector.count { #expect(expand(Array(Self.vector[..<count])) == .failure(.malformed)) }
        #expect(expand(Self.vector + [0]) == .failure(.malformed))
        for index in Self.vector.indices {
            var damaged = Self.vector
            damaged[index] ^= 1
            #expect(expand(damaged) != .success([0xb9, 0xa3]) || index == 1, "byte \(index)")
        }
        // gzip and bare DEFLATE are other formats.
        #expect(expand([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]) == .failure(.malformed))
        #expect(expand(Array(Self.vector[2..<(Self.vector.count - 4)])) == .failure(.malformed))
    }

    @Test("A stream that wants a dictionary is malformed")
    func dictionary() {
        #expect(expand([0x78, 0xbb, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1]) == .failure(.malformed))
    }

    /// A stream of stored blocks, each of 258 zeros.
    private static func zeros(blocks: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x78, 0x01]
        for index in 0..<blocks {
            let count: UInt16 = 258
            bytes += [index == blocks - 1 ? 1 : 0, UInt8(count & 255), UInt8(count >> 8)]
            bytes += [UInt8(~count & 255), UInt8(~count >> 8)]
            bytes += [UInt8](repeating: 0, count: Int(count))
        }
        // Adler-32 of n zeros: a = 1, b = n.
        let b = UInt32(blocks * 258 % 65_521)
        let sum = b << 16 | 1
        return bytes + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }
}
