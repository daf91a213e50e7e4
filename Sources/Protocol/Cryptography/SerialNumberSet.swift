import Bytes

/// The serial numbers on a revocation list, 16 bytes each: 128 bits of a SHA-256, in order.
///
/// A list of five megabytes has some 130,000 of them; kept as text, or as OpenSSL's objects, they cost many times the file.
struct SerialNumberSet: Sendable {
    private struct Entry: Comparable {
        let high: UInt64
        let low: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            left.high == right.high ? left.low < right.low : left.high < right.high
        }
    }

    private var entries: [Entry] = []

    /// How many there are.
    var count: Int { entries.count }

    /// Makes an empty set with room for exactly so many.
    init(capacity: Int) {
        entries.reserveCapacity(capacity)
    }

    /// Adds numbers, in any order; ``sort()`` must follow the last.
    ///
    /// - Parameters:
    ///   - integer: the content octets of an INTEGER.
    ///   - hash: SHA-256.
    mutating func append(_ integer: Span<UInt8>, _ hash: MessageDigest) {
        let number = Self.number(integer)
        entries.append(Self.entry(hash.digest256(number.span)))
    }

    /// Puts the numbers into the order in which they are searched.
    mutating func sort() {
        entries.sort()
    }

    /// Whether a number is there.
    ///
    /// - Parameter serialNumber: in hexadecimal, as ``CertificateFacts`` has it.
    func contains(_ serialNumber: String) -> Bool {
        let isNegative = serialNumber.hasPrefix("-")
        let digits = Array(serialNumber.utf8.dropFirst(isNegative ? 1 : 0))
        // What is no number is on every list.
        guard let magnitude = Hexadecimal.decode(digits.span) else { return true }
        let number = [isNegative ? 1 : 0] + magnitude.drop { $0 == 0 }
        let wanted = Self.entry(SHA256.digest(of: number.span))
        var range = entries.indices
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if entries[middle] == wanted { return true }
            range = entries[middle] < wanted ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return false
    }

    private static func entry(_ digest: Digest256) -> Entry { Entry(high: digest.words.0, low: digest.words.1) }

    /// The sign and the magnitude of an integer in two's complement, without leading zeros.
    private static func number(_ integer: Span<UInt8>) -> [UInt8] {
        let isNegative = integer.count > 0 && integer[0] >= 0x80
        var magnitude = Array(copying: integer)
        if isNegative {
            for index in magnitude.indices { magnitude[index] = ~magnitude[index] }
            for index in magnitude.indices.reversed() {
                magnitude[index] &+= 1
                if magnitude[index] != 0 { break }
            }
        }
        return [isNegative ? 1 : 0] + magnitude.drop { $0 == 0 }
    }
}
