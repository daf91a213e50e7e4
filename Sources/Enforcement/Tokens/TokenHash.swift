import Bytes

/// A keyed 64-bit hash for the verified-token cache: 16 bytes a multiplication.
///
/// It need only keep those who do not know the seed from choosing where a token lands: equality is always decided by
/// comparing all bytes.
@safe
struct TokenHash: Sendable {
    private let seed: UInt64
    private let secret: UInt64

    init(seed: UInt64) {
        self.seed = seed
        secret = Self.mix(seed ^ 0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93)
    }

    func callAsFunction(_ bytes: Span<UInt8>) -> UInt64 {
        let state = bytes.count >= 16 ? unsafe bytes.withUnsafeBytes { unsafe hash($0) } : hash(short: bytes)
        return Self.mix(state ^ secret, UInt64(bytes.count) ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// Mixes 16 bytes or more; every word that is loaded ends at `count` or before.
    private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let count = bytes.count
        var state = seed
        var offset = 0
        while offset + 16 <= count {
            state = unsafe Self.mix(bytes.word(at: offset) ^ secret, bytes.word(at: offset + 8) ^ state)
            offset += 16
        }
        // The last 16 bytes once more, rather than a loop over a remainder.
        return unsafe Self.mix(bytes.word(at: count - 16) ^ secret, bytes.word(at: count - 8) ^ state)
    }

    private func hash(short bytes: Span<UInt8>) -> UInt64 {
        var words: (UInt64, UInt64) = (0, 0)
        for index in bytes.indices { words = (words.0 << 8 | words.1 >> 56, words.1 << 8 | UInt64(bytes[index])) }
        return Self.mix(words.0 ^ secret, words.1 ^ seed)
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
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in unsafe left.equalsByWords(right) }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Compares with as many bytes, eight or more; every word that is loaded ends at `count` or before.
    fileprivate func equalsByWords(_ other: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset + 32 <= count {
            let first = unsafe word(at: offset) ^ other.word(at: offset)
            let second = unsafe word(at: offset + 8) ^ other.word(at: offset + 8)
            let third = unsafe word(at: offset + 16) ^ other.word(at: offset + 16)
            let fourth = unsafe word(at: offset + 24) ^ other.word(at: offset + 24)
            guard first | second | third | fourth == 0 else { return false }
            offset += 32
        }
        while offset + 8 <= count {
            guard unsafe word(at: offset) == other.word(at: offset) else { return false }
            offset += 8
        }
        return unsafe word(at: count - 8) == other.word(at: count - 8)
    }

    /// The eight bytes from `offset` on as a number, whatever their alignment.
    fileprivate func word(at offset: Int) -> UInt64 {
        unsafe loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}
