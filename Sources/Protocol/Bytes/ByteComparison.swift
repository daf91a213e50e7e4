extension Span where Element == UInt8 {
    /// Whether the bytes are the same, byte for byte; not in constant time.
    @inlinable public func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// Whether the bytes are those of `text`, byte for byte; not in constant time.
    @inlinable public func equals(_ text: StaticString) -> Bool {
        equals(unsafe Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Whether the bytes are the UTF-8 of `text`; not in constant time.
    @inlinable public func equals(utf8 text: String) -> Bool {
        equals(text.utf8.span)
    }

    /// Whether the bytes are those of `text` when ASCII letters of both are read as lower case.
    @inlinable public func equalsIgnoringCase(_ text: StaticString) -> Bool {
        let other = unsafe Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount)
        guard count == other.count else { return false }
        for index in indices where self[index].asciiLowercased != other[index].asciiLowercased { return false }
        return true
    }

    /// Whether the bytes are the same, in a time that depends on their number only.
    @inlinable public func equalsInConstantTime(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for index in indices { difference |= self[index] ^ other[index] }
        return difference == 0
    }

    /// The offset of the first `byte` at or after `start`, or nothing.
    @inlinable public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        var index = start
        while index < count {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }
}

extension UInt8 {
    /// The byte, an upper-case ASCII letter made lower-case.
    @inlinable public var asciiLowercased: UInt8 {
        self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self
    }
}

extension String {
    /// Makes text from bytes that must be well-formed UTF-8, or nothing: never repairs.
    public init?(validating bytes: Span<UInt8>) {
        guard let text = try? UTF8Span(validating: bytes) else { return nil }
        self.init(copying: text)
    }
}

extension Array where Element == UInt8 {
    /// Makes a copy of `bytes`.
    public init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
