/// A growable first-in, first-out run of bytes in one contiguous block.
///
/// Bytes are appended at the back and consumed at the front. It holds no memory until something is appended, so an idle
/// connection costs nothing, and ``releaseStorage()`` gives the block back.
///
/// The block is reached only through this type: every access is bounded by `start ... end ... capacity`, which the
/// methods below keep in that order, and the `~Copyable` owner frees it exactly once.
@safe
public struct ByteQueue: ~Copyable {
    @usableFromInline var storage: UnsafeMutablePointer<UInt8>?
    /// The size of the block, in bytes.
    public private(set) var capacity: Int
    @usableFromInline var start: Int
    @usableFromInline var end: Int

    /// Makes an empty queue that owns no memory yet.
    public init() {
        unsafe storage = nil
        capacity = 0
        start = 0
        end = 0
    }

    deinit {
        unsafe storage?.deallocate()
    }

    /// The number of bytes that wait to be consumed.
    @inlinable public var count: Int { end - start }

    /// Whether nothing waits to be consumed.
    @inlinable public var isEmpty: Bool { end == start }

    /// The bytes that wait to be consumed, oldest first.
    @inlinable public var readable: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            let bytes = unsafe UnsafeBufferPointer(
                start: storage.map { unsafe UnsafePointer($0 + start) }, count: count)
            let span = unsafe Span(_unsafeElements: bytes)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Lends the bytes that wait to `body`: for queues that a class holds, whose spans the compiler lets nobody keep.
    @inlinable public borrowing func withReadable<R, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try body(readable)
    }

    /// Drops the oldest `count` bytes.
    @inlinable public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= end - start, "consumed more than there is")
        start += count
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Drops everything and keeps the block for reuse.
    @inlinable public mutating func removeAll() {
        start = 0
        end = 0
    }

    /// Drops everything and gives the block back.
    public mutating func releaseStorage() {
        unsafe storage?.deallocate()
        unsafe storage = nil
        capacity = 0
        start = 0
        end = 0
    }

    /// Drops the bytes behind the oldest `count`: undoes appends.
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "truncated to more than there is")
        end = start + count
    }

    /// Makes room for `count` more bytes behind those that wait.
    @inlinable public mutating func reserve(_ count: Int) {
        if capacity - end < count { makeRoom(for: count) }
    }

    @usableFromInline mutating func makeRoom(for count: Int) {
        let waiting = self.count
        if let storage = unsafe storage, capacity - waiting >= count, start >= waiting {
            unsafe storage.update(from: storage + start, count: waiting)
        } else {
            let grown = max(max(256, waiting + count), capacity * 2)
            let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
            if let storage = unsafe storage {
                unsafe fresh.update(from: storage + start, count: waiting)
                unsafe storage.deallocate()
            }
            unsafe storage = fresh
            capacity = grown
        }
        start = 0
        end = waiting
    }

    /// Appends up to `count` bytes written in place by `body`.
    ///
    /// - Parameters:
    ///   - count: the room that `body` is given, in bytes.
    ///   - body: writes from the start of the room and returns how many bytes it wrote.
    /// - Returns: the number of bytes appended.
    @inlinable @discardableResult
    public mutating func append<E: Error>(
        upTo count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) -> Int {
        reserve(count)
        let room = unsafe UnsafeMutableRawBufferPointer(start: storage.map { unsafe $0 + end }, count: count)
        let written = unsafe try body(room)
        precondition(written >= 0 && written <= count, "wrote past the room that was given")
        end += written
        return written
    }

    /// Appends a copy of `bytes`.
    @inlinable public mutating func append(_ bytes: Span<UInt8>) {
        let count = bytes.count
        guard count > 0 else { return }
        reserve(count)
        guard let storage = unsafe storage else { return }
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe (storage + end).update(from: base, count: count)
        }
        end += count
    }

    /// Appends a copy of what waits in `other`.
    @inlinable public mutating func append(_ other: borrowing ByteQueue) {
        append(other.readable)
    }

    /// Appends one byte.
    @inlinable public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe storage?[end] = byte
        end += 1
    }

    /// Appends literal text.
    @inlinable public mutating func append(_ text: StaticString) {
        let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        append(unsafe Span(_unsafeElements: bytes))
    }

    /// Appends the UTF-8 of `text`.
    @inlinable public mutating func append(utf8 text: String) {
        append(text.utf8.span)
    }

    /// Appends `number` in decimal digits, without padding.
    public mutating func append(decimal number: UInt64) {
        var digits: [20 of UInt8] = .init(repeating: 0)
        var rest = number
        var first = 20
        repeat {
            first -= 1
            digits[first] = UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0")
            rest /= 10
        } while rest > 0
        append(digits.span.extracting(first..<20))
    }

    /// Appends `number` in decimal digits, with a minus sign where it is negative.
    public mutating func append(decimal number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(decimal: UInt64(number.magnitude))
    }
}
