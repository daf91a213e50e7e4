public import Bytes

/// The gateway's own name for one request: 128 unpredictable bits, never taken from a client.
public struct RequestIdentifier: Hashable, Sendable {
    /// The first 64 bits.
    public let high: UInt64
    /// The last 64 bits.
    public let low: UInt64

    /// Makes a name of two unpredictable words.
    public init(_ high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The 16 bytes.
    var bytes: [UInt8] {
        [high, low].flatMap { word in stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }

    /// Appends 32 lower-case hexadecimal digits.
    public func append(to output: inout ByteQueue) {
        output.append(hexadecimal: high)
        output.append(hexadecimal: low)
    }
}
