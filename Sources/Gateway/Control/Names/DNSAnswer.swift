/// What a name server's answer says of how long it holds (RFC 1035 §4).
struct DNSAnswer: Equatable {
    /// The least time to live of the records that lead to addresses, in seconds; nothing where there are none.
    let timeToLive: UInt32?

    /// The types of those records: A, CNAME, AAAA, DNAME.
    private static let types: Set<UInt16> = [1, 5, 28, 39]
    private static let internet: UInt16 = 1
    private static let headerLength = 12

    /// Reads a message; nothing where it is no answer, tells of an error, or is malformed in its head or its answers.
    ///
    /// Only times are taken from it, never addresses: whoever forges an answer can have names looked up sooner or later, within
    /// the bounds of the configuration.
    init?(_ message: Span<UInt8>) {
        guard message.count >= Self.headerLength else { return nil }
        let isAnswer = message[2] & 0x80 != 0
        let isTruncated = message[2] & 0x02 != 0
        let responseCode = message[3] & 0x0F
        guard isAnswer, !isTruncated, responseCode == 0 else { return nil }
        var reader = RecordReader(offset: Self.headerLength)
        for _ in 0..<Self.number(message, at: 4) {
            guard reader.skipName(message), reader.skip(4, message) else { return nil }
        }
        var least: UInt32?
        for _ in 0..<Self.number(message, at: 6) {
            guard let record = reader.next(message) else { return nil }
            guard record.class == Self.internet, Self.types.contains(record.type) else { continue }
            least = min(least ?? .max, record.timeToLive)
        }
        timeToLive = least
    }

    private static func number(_ message: Span<UInt8>, at offset: Int) -> UInt16 {
        UInt16(message[offset]) << 8 | UInt16(message[offset + 1])
    }
}

/// Goes through the records of a message (RFC 1035 §4.1.3).
private struct RecordReader {
    struct Record {
        let type: UInt16
        let `class`: UInt16
        let timeToLive: UInt32
    }

    var offset: Int

    mutating func skip(_ count: Int, _ message: Span<UInt8>) -> Bool {
        guard count <= message.count - offset else { return false }
        offset += count
        return true
    }

    /// Passes over a name, which ends with an empty label or with a pointer to the rest of it (RFC 1035 §4.1.4).
    mutating func skipName(_ message: Span<UInt8>) -> Bool {
        while offset < message.count {
            let length = message[offset]
            switch length >> 6 {
            case 0:
                guard skip(1 + Int(length), message) else { return false }
                if length == 0 { return true }
            case 3: return skip(2, message)
            default: return false
            }
        }
        return false
    }

    mutating func next(_ message: Span<UInt8>) -> Record? {
        guard skipName(message), message.count - offset >= 10 else { return nil }
        let type = number(message, 2)
        let `class` = number(message, 2)
        let seconds = number(message, 4)
        guard skip(Int(number(message, 2)), message) else { return nil }
        // A value with its highest bit set means zero (RFC 2181 §8).
        return Record(
            type: UInt16(type), class: UInt16(`class`), timeToLive: seconds > UInt32(Int32.max) ? 0 : seconds)
    }

    /// Reads a number; the caller has seen to it that the bytes are there.
    private mutating func number(_ message: Span<UInt8>, _ count: Int) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<count {
            number = number << 8 | UInt32(message[offset])
            offset += 1
        }
        return number
    }
}
