/// Where some bytes lie inside a block that another value owns: 8 bytes instead of a pointer that could dangle.
public struct ByteRange: Equatable, Sendable {
    /// The offset of the first byte.
    public let start: UInt32
    /// The number of bytes.
    public let count: UInt32

    /// Nothing, at the start.
    public static let empty = ByteRange(start: 0, count: 0)

    /// Makes the range of `count` bytes from `start` on; both under 4 GiB.
    @inlinable public init(start: Int, count: Int) {
        self.start = UInt32(start)
        self.count = UInt32(count)
    }

    /// The offsets, for `Span.extracting`.
    @inlinable public var offsets: Range<Int> { Int(start)..<Int(start) + Int(count) }

    /// Whether there are no bytes.
    @inlinable public var isEmpty: Bool { count == 0 }
}
