import Bytes
import HTTP

extension Span where Element == UInt8 {
    /// The offset of the first byte at or after `start` that a field value may not hold, or the end.
    ///
    /// It looks at eight bytes at a time: most of a head's bytes are looked at here and nowhere else.
    func endOfFieldContent(from start: Int) -> Int {
        var index = start
        while true {
            index = firstSuspect(from: index)
            // A suspect may be a tab; what is behind the last whole word was not looked at.
            let end = Swift.min(index + 8, count)
            while index < end, self[index].isFieldContent { index += 1 }
            if index < end || index == count { return index }
        }
    }

    /// The offset of the first control character at or after `start`; where there is none, of the first byte that does
    /// not fill a word any more.
    private func firstSuspect(from start: Int) -> Int {
        // Every load lies within `index ..< index + 8 <= count` of the buffer that the closure is lent.
        unsafe withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return start }
            let bytes = unsafe UnsafeRawPointer(base)
            var index = start
            while index + 8 <= buffer.count {
                let marks = Self.controls(
                    in: UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
                if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
                index += 8
            }
            return index
        }
    }

    /// Sets the high bit of the bytes of `word` that are less than 0x20 or are 0x7F.
    ///
    /// `(word - bound) & ~word` marks the bytes below a bound; a borrow can set a false mark above a true one only, so the
    /// lowest mark, which is that of the first byte, is exact.
    @inline(always)  // It is the body of the loop above.
    private static func controls(in word: UInt64) -> UInt64 {
        let below = (word &- 0x2020_2020_2020_2020) & ~word
        let differences = word ^ 0x7F7F_7F7F_7F7F_7F7F
        let deletes = (differences &- 0x0101_0101_0101_0101) & ~differences
        return (below | deletes) & 0x8080_8080_8080_8080
    }
}
