/// A value of 256 bits: a SHA-256 digest, a certificate's fingerprint, a key's thumbprint.
///
/// Equality takes the same time wherever the values differ.
public struct Digest256: Hashable, Sendable {
    /// The 32 bytes as four numbers, each most significant byte first.
    public let words: (UInt64, UInt64, UInt64, UInt64)

    /// The number of bytes.
    public static let byteCount = 32

    /// All bits zero.
    public static let zero = Digest256(words: (0, 0, 0, 0))

    @usableFromInline init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// Reads exactly 32 bytes, or nothing.
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        words = (
            Self.word(bytes, at: 0), Self.word(bytes, at: 8), Self.word(bytes, at: 16), Self.word(bytes, at: 24)
        )
    }

    /// Reads 43 characters of unpadded canonical base64url (RFC 7515 §2), or nothing.
    public init?(base64URL text: Span<UInt8>) {
        guard text.count == 43, let bytes = Base64URL.decode(text) else { return nil }
        self.init(bytes.span)
    }

    /// Reads 64 lower-case hexadecimal digits, or nothing.
    public init?(hexadecimal text: Span<UInt8>) {
        guard text.count == 64, let bytes = Hexadecimal.decode(text) else { return nil }
        self.init(bytes.span)
    }

    private static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word = word << 8 | UInt64(bytes[offset + index]) }
        return word
    }

    /// The 32 bytes, most significant first.
    public var bytes: [32 of UInt8] {
        var bytes: [32 of UInt8] = .init(repeating: 0)
        for index in 0..<8 {
            let shift = UInt64(56 - 8 * index)
            bytes[index] = UInt8(truncatingIfNeeded: words.0 >> shift)
            bytes[8 + index] = UInt8(truncatingIfNeeded: words.1 >> shift)
            bytes[16 + index] = UInt8(truncatingIfNeeded: words.2 >> shift)
            bytes[24 + index] = UInt8(truncatingIfNeeded: words.3 >> shift)
        }
        return bytes
    }

    /// 64 lower-case hexadecimal digits.
    public var hexadecimal: String { Hexadecimal.encode(bytes.span) }

    /// 43 characters of unpadded base64url.
    public var base64URL: String { Base64URL.encode(bytes.span) }

    /// Compares in constant time.
    @inlinable public static func == (left: Digest256, right: Digest256) -> Bool {
        let difference =
            (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1) | (left.words.2 ^ right.words.2)
            | (left.words.3 ^ right.words.3)
        return difference == 0
    }

    /// Feeds one word: a digest is uniformly distributed already.
    @inlinable public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
    }
}
