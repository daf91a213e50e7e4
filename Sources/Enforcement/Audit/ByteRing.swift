import Bytes

/// A block of bytes that one thread writes and another reads, addressed by positions that only grow.
///
/// A position falls on `position & (capacity - 1)`, so no access leaves the block. What keeps the two threads apart is
/// not here but in ``AuditQueue``: the producer writes only between `published` and `taken + capacity`, the consumer
/// reads only between `taken` and `published`, and each learns of the other's position by an acquiring load of what the
/// other stored releasing; so no byte is ever read and written at once. That is the argument for `@unchecked Sendable`.
/// The `~Copyable` owner frees the block exactly once.
@safe
struct ByteRing: ~Copyable, @unchecked Sendable {
    private let base: UnsafeMutablePointer<UInt8>
    /// The size of the block in bytes, a power of two.
    let capacity: Int

    /// Allocates a block of at least `minimum` bytes.
    init(minimum: Int) {
        var size = 4096
        while size < minimum { size *= 2 }
        capacity = size
        unsafe base = .allocate(capacity: size)
        unsafe base.initialize(repeating: 0, count: size)
    }

    deinit {
        unsafe base.deallocate()
    }

    /// Copies `bytes` into the block from `position` on.
    func write(_ bytes: Span<UInt8>, at position: UInt64) {
        precondition(bytes.count <= capacity, "wrote more than the ring holds")
        let offset = offset(of: position)
        let first = min(bytes.count, capacity - offset)
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe (base + offset).update(from: start, count: first)
            unsafe base.update(from: start + first, count: bytes.count - first)
        }
    }

    /// Appends to `queue` a copy of the `count` bytes from `position` on.
    func read(_ count: Int, at position: UInt64, into queue: inout ByteQueue) {
        precondition(count >= 0 && count <= capacity, "read more than the ring holds")
        let offset = offset(of: position)
        let first = min(count, capacity - offset)
        queue.append(unsafe Span(_unsafeStart: base + offset, count: first))
        queue.append(unsafe Span(_unsafeStart: base, count: count - first))
    }

    /// The byte at `position`.
    func byte(at position: UInt64) -> UInt8 {
        unsafe base[offset(of: position)]
    }

    private func offset(of position: UInt64) -> Int {
        Int(truncatingIfNeeded: position) & (capacity - 1)
    }
}
