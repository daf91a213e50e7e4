/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein 2012).
///
/// Without the key nobody can find two values that meet, or choose where one lands.
public struct SipHash: Sendable {
    /// The output, in the order in which the algorithm makes it.
    public struct Value: Hashable, Sendable {
        /// The first 64 bits.
        public let first: UInt64
        /// The last 64 bits.
        public let second: UInt64

        /// Makes a value of two words.
        @inlinable public init(first: UInt64, second: UInt64) {
            self.first = first
            self.second = second
        }
    }

    private let key: (UInt64, UInt64)

    /// Takes the two halves of a key, each with its least significant byte first.
    public init(key: (UInt64, UInt64)) {
        self.key = key
    }

    /// Takes a key of 16 bytes.
    public init(key: [UInt8]) {
        precondition(key.count == 16, "not 16 bytes")
        self.init(key: (Self.word(key.span, from: 0, count: 8), Self.word(key.span, from: 8, count: 8)))
    }

    /// Hashes the 32 bytes of a digest.
    public func callAsFunction(_ input: Digest256) -> Value {
        let words = input.words
        var state = State(key: key)
        state.absorb(words.0.byteSwapped)
        state.absorb(words.1.byteSwapped)
        state.absorb(words.2.byteSwapped)
        state.absorb(words.3.byteSwapped)
        state.absorb(UInt64(Digest256.byteCount) << 56)
        return state.finish()
    }

    /// Hashes any bytes.
    public func callAsFunction(_ input: Span<UInt8>) -> Value {
        var state = State(key: key)
        var offset = 0
        while input.count - offset >= 8 {
            state.absorb(Self.word(input, from: offset, count: 8))
            offset += 8
        }
        let rest = Self.word(input, from: offset, count: input.count - offset)
        state.absorb(UInt64(truncatingIfNeeded: input.count) << 56 | rest)
        return state.finish()
    }

    private static func word(_ bytes: Span<UInt8>, from offset: Int, count: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<count { word |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        return word
    }

    private struct State {
        var v0, v1, v2, v3: UInt64

        init(key: (UInt64, UInt64)) {
            v0 = key.0 ^ 0x736f_6d65_7073_6575
            v1 = key.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
            v2 = key.0 ^ 0x6c79_6765_6e65_7261
            v3 = key.1 ^ 0x7465_6462_7974_6573
        }

        mutating func absorb(_ word: UInt64) {
            v3 ^= word
            mix()
            mix()
            v0 ^= word
        }

        mutating func finish() -> Value {
            v2 ^= 0xee
            for _ in 0..<4 { mix() }
            let first = v0 ^ v1 ^ v2 ^ v3
            v1 ^= 0xdd
            for _ in 0..<4 { mix() }
            return Value(first: first, second: v0 ^ v1 ^ v2 ^ v3)
        }

        private mutating func mix() {
            v0 &+= v1
            v1 = v1.rotated(by: 13) ^ v0
            v0 = v0.rotated(by: 32)
            v2 &+= v3
            v3 = v3.rotated(by: 16) ^ v2
            v0 &+= v3
            v3 = v3.rotated(by: 21) ^ v0
            v2 &+= v1
            v1 = v1.rotated(by: 17) ^ v2
            v2 = v2.rotated(by: 32)
        }
    }
}

extension UInt64 {
    fileprivate func rotated(by bits: UInt64) -> UInt64 {
        self &<< bits | self &>> (64 &- bits)
    }
}
