import Bytes

/// Bytes of the system's entropy, as text.
enum RandomBytes {
    /// Twice as many lower-case hexadecimal digits as bytes.
    static func hexadecimal(count: Int) -> String {
        var bytes: [UInt8] = []
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<count { bytes.append(.random(in: 0...255, using: &generator)) }
        return Hexadecimal.encode(bytes.span)
    }
}
