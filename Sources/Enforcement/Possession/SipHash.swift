import Bytes

/// SipHash-2-4 with 128 bits of output, of values of 256 bits (Aumasson and Bernstein 2012).
///
/// Without the key nobody can find two values that meet, or choose where one lands.
struct SipHash: Sendable {
    /// The output, in the order in which the algorithm makes it.
    struct Value: Equatable, Sendable {
        let first: UInt64
        let second: UInt64
    }

    private let key: (UInt64, UInt64)

    init(key: (UInt64, UInt64)) {
        self.key = key
    }

    func callAsFunction(_ input: Digest256) -> Value {
        let words = input.words
        var state = State(key: key)
        state.absorb(words.0.byteSwapped)
        state.absorb(words.1.byteSwapped)
        state.absorb(words.2.byteSwapped)
        state.absorb(words.3.byteSwapped)
        state.absorb(UInt64(Digest256.byteCount) << 56)
        return state.finish()
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
