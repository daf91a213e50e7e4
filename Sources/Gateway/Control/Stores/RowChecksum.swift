/// A sum of 64 bits over a row: what was not written so is not read as if it had been.
///
/// It is for damage, not for enemies: who can write to the store can forge it. A change within any one word of eight bytes
/// always shows, since each step can be undone.
struct RowChecksum {
    private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0xD6E8_FEB8_6659_FD93
        value ^= value >> 32
    }

    mutating func add(_ number: Int64) { add(UInt64(bitPattern: number)) }

    /// Adds bytes with their number before them, so that they cannot move from one column to the next.
    mutating func add(_ bytes: Span<UInt8>) {
        add(UInt64(bytes.count) + 1)
        // Bytes have no padding that could be seen.
        let raw = unsafe bytes.bytes
        var offset = 0
        while offset + 8 <= raw.byteCount {
            // Within the bytes by the condition above.
            add(unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian)
            offset += 8
        }
        guard offset < bytes.count else { return }
        var word: UInt64 = 0
        while offset < bytes.count {
            word = word << 8 | UInt64(bytes[offset])
            offset += 1
        }
        add(word)
    }

    /// Adds a text that may be missing.
    mutating func add(_ text: String?) {
        guard let text else { return add(0 as UInt64) }
        add(text.utf8.span)
    }
}
