import Bytes

/// A keyed 64-bit hash for the verified-token cache: 16 bytes a multiplication.
///
/// It need only keep those who do not know the seed from choosing where a token lands: equality is always decided by
/// comparing all bytes.
struct TokenHash: Sendable {
    private let seed: UInt64
    private let secret: UInt64

    init(seed: UInt64) {
        self.seed = seed
        secret = Self.mix(seed ^ 0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93)
    }

    func callAsFunction(_ bytes: Span<UInt8>) -> UInt64 {
        let count = bytes.count
        var state = seed
        var offset = 0
        while offset + 16 <= count {
            state = Self.mix(bytes.word(at: offset) ^ secret, bytes.word(at: offset + 8) ^ state)
            offset += 16
        }
        if count >= 16 {
            // The last 16 bytes once more, rather than a loop over a remainder.
            state = Self.mix(bytes.word(at: count - 16) ^ secret, bytes.word(at: count - 8) ^ state)
        } else {
            var words: (UInt64, UInt64) = (0, 0)
            for index in bytes.indices {
                words = (words.0 << 8 | words.1 >> 56, words.1 << 8 | UInt64(bytes[index]))
            }
            state = Self.mix(words.0 ^ secret, words.1 ^ state)
        }
        return Self.mix(state ^ secret, UInt64(count) ^ 0x9E37_79B9_7F4A_7C15)
    }

    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

extension Span where Element == UInt8 {
    /// Whether the bytes are the same, compared eight at a time.
    func equalsByWords(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8 else { return equals(other) }
        var offset = 0
        while offset + 8 <= count {
            guard word(at: offset) == other.word(at: offset) else { return false }
            offset += 8
        }
        return word(at: count - 8) == other.word(at: count - 8)
    }

    /// Eight bytes as a number.
    ///
    /// Safe because every bit pattern is a number, and the load itself checks that the bytes lie inside.
    fileprivate func word(at offset: Int) -> UInt64 {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}
