/// A set of ASCII characters; a byte of 128 or more is never in it.
///
/// Two words instead of a table: a look-up is a shift and a mask, and touches no memory.
public struct ByteSet: Equatable, Sendable {
    @usableFromInline let low: UInt64
    @usableFromInline let high: UInt64

    /// Makes the set whose members below 64 are the bits of `low`, and the others those of `high`.
    @inlinable public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Whether `byte` is a member.
    @inlinable public func contains(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? low : high
        return byte < 128 && word &>> UInt64(byte & 63) & 1 == 1
    }

    /// Whether there is a byte at all, and every one is a member.
    @inlinable public func holdsAll(of bytes: Span<UInt8>) -> Bool {
        guard !bytes.isEmpty else { return false }
        for index in bytes.indices where !contains(bytes[index]) { return false }
        return true
    }
}

extension ByteSet {
    /// What methods, field names and list options are made of: `tchar` (RFC 9110 §5.6.2).
    @inlinable public static var token: ByteSet { ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

    /// What stands for itself in every part of a URI: `unreserved` (RFC 3986 §2.3).
    @inlinable public static var unreserved: ByteSet {
        ByteSet(low: 0x03FF_6000_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    /// What a path segment may hold unencoded: `pchar` (RFC 3986 §3.3) but for `;` and `%`.
    @inlinable public static var pathSegment: ByteSet {
        ByteSet(low: 0x27FF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF)
    }

    /// What a query may hold unencoded: that of RFC 3986 §3.4 but for `%`, and ``[ ] { } | ^ ` `` which browsers send.
    @inlinable public static var query: ByteSet { ByteSet(low: 0xAFFF_FFD2_0000_0000, high: 0x7FFF_FFFF_EFFF_FFFF) }

    /// What a host's name is made of here: letters, digits, hyphen, dot and underscore.
    @inlinable public static var hostName: ByteSet { ByteSet(low: 0x03FF_6000_0000_0000, high: 0x07FF_FFFE_87FF_FFFE) }

    /// What can be seen: `VCHAR` (RFC 5234 B.1).
    @inlinable public static var visible: ByteSet { ByteSet(low: 0xFFFF_FFFE_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF) }
}

extension UInt8 {
    /// Whether a field value may hold the byte: no control character but tab; bytes of 128 and more are opaque
    /// (RFC 9110 §5.5).
    @inlinable public var isFieldContent: Bool { self >= 0x20 ? self != 0x7F : self == 0x09 }

    /// Whether it is a space or a tab: `OWS` (RFC 9110 §5.6.3).
    @inlinable public var isOptionalWhiteSpace: Bool { self == 0x20 || self == 0x09 }

    /// The value of a hexadecimal digit of either case, or 255.
    @inlinable public var hexadecimalValue: UInt8 {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: 255
        }
    }
}
