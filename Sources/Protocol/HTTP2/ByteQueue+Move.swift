import Bytes

extension ByteQueue {
    /// Moves the oldest `count` bytes to the end of `other`.
    mutating func move(_ count: Int, to other: inout ByteQueue) {
        other.append(readable.extracting(0..<count))
        consume(count)
    }
}
