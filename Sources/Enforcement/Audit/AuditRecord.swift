public import Bytes

/// A record on its way to the log: a JSON line but for `prev` and `seq`, which only the log knows.
///
/// Members are added in the code-point order of their keys, so that the two holes are where that order puts them: the
/// bytes before `prev`, those between `prev` and `seq`, and those after `seq` are kept as one block with two offsets. A
/// record is reused by its owner: ``reset()`` keeps the memory.
///
/// The order, and that nothing is added after ``finish()``, are preconditions: keys are literals in the source.
public struct AuditRecord: ~Copyable {
    private var bytes = ByteQueue()
    private var lastKey: StaticString = ""
    private var previousOffset: Int?
    private var sequenceOffset: Int?
    private var isFinished = false
    /// Whether the record says that a request is allowed: only then does its ticket become a receipt.
    private(set) var permits = false
    private var timestamp = TimestampText()

    /// Makes a record without members.
    public init() {
        bytes.append(UInt8(ascii: "{"))
    }

    /// Drops all members, to begin another record.
    public mutating func reset() {
        bytes.removeAll()
        bytes.append(UInt8(ascii: "{"))
        lastKey = ""
        previousOffset = nil
        sequenceOffset = nil
        isFinished = false
        permits = false
    }

    /// Adds what the record tells of, under the key `event`.
    public mutating func member(event: AuditEvent) {
        member("event", event.rawValue)
        permits = event == .requestAllowed
    }

    /// Adds text, given as UTF-8; every byte that is not part of well-formed UTF-8 is written as `\ufffd`.
    public mutating func member(_ key: StaticString, _ value: Span<UInt8>) {
        guard !value.needsNoEscape else {
            plainText(key, value)
            return
        }
        begin(key)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(escapingJSON: value)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds text.
    public mutating func member(_ key: StaticString, _ value: String) {
        member(key, value.utf8.span)
    }

    /// Adds literal text.
    public mutating func member(_ key: StaticString, _ value: StaticString) {
        member(key, value.span)
    }

    /// Adds a number.
    public mutating func member(_ key: StaticString, number: UInt64) {
        begin(key)
        bytes.append(decimal: number)
    }

    /// Adds `true` or `false`.
    public mutating func member(_ key: StaticString, flag: Bool) {
        begin(key)
        bytes.append(flag ? "true" : "false")
    }

    /// Adds a value that is JSON already: well-formed, without spaces, its keys in code-point order.
    public mutating func member(_ key: StaticString, raw json: Span<UInt8>) {
        begin(key)
        bytes.append(json)
    }

    /// Adds a moment, as RFC 3339 in UTC with microseconds.
    public mutating func member(_ key: StaticString, time: UnixTime) {
        place(key)
        timestamp.set(time)
        bytes.append(key: key, plainText: timestamp.span, after: separator)
    }

    /// Adds a digest, as 64 lower-case hexadecimal digits.
    public mutating func member(_ key: StaticString, digest: Digest256) {
        let digits = digest.digits
        plainText(key, digits.span)
    }

    /// Closes the record: only now may it be given to a queue or a chain.
    public mutating func finish() {
        precondition(!isFinished, "a record is finished once")
        markHoles(before: nil)
        bytes.append(UInt8(ascii: "}"))
        isFinished = true
    }

    /// The size of the record without `prev` and `seq`, in bytes.
    public var byteCount: Int { bytes.count }

    private mutating func plainText(_ key: StaticString, _ value: Span<UInt8>) {
        place(key)
        bytes.append(key: key, plainText: value, after: separator)
    }

    private mutating func begin(_ key: StaticString) {
        place(key)
        if let separator { bytes.append(separator) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(key.span)
        bytes.append("\":")
    }

    /// Checks that the key may be next, and notes the holes that are before it.
    private mutating func place(_ key: StaticString) {
        precondition(!isFinished, "a finished record takes no member")
        precondition(lastKey.span.precedes(key.span), "members come in code-point order, each key once")
        lastKey = key
        // Most keys are told from both holes by their first letter.
        if sequenceOffset == nil, key.span[0] >= UInt8(ascii: "p") { markHoles(before: key) }
    }

    /// What stands before the next member: nothing where it is the first of the line.
    private var separator: UInt8? {
        bytes.count > 1 || previousOffset != nil ? UInt8(ascii: ",") : nil
    }

    /// Notes where `prev` and `seq` belong, once the next key lies behind them.
    private mutating func markHoles(before key: StaticString?) {
        if previousOffset == nil {
            guard Self.belongs(Self.previousKey, before: key) else { return }
            previousOffset = bytes.count
        }
        if sequenceOffset == nil {
            guard Self.belongs(Self.sequenceKey, before: key) else { return }
            sequenceOffset = bytes.count
        }
    }

    private static func belongs(_ hole: StaticString, before key: StaticString?) -> Bool {
        guard let key else { return true }
        precondition(!key.span.equals(hole), "only the log writes prev and seq")
        return hole.span.precedes(key.span)
    }

    private static let previousKey: StaticString = "prev"
    private static let sequenceKey: StaticString = "seq"
}

extension AuditRecord {
    /// The three stretches in one block, without what fills the holes.
    var contents: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            bytes.readable
        }
    }

    /// Where the holes are; nothing until the record is finished.
    var holes: RecordHoles? {
        guard isFinished, let previousOffset, let sequenceOffset else { return nil }
        return RecordHoles(count: bytes.count, previousOffset: previousOffset, sequenceOffset: sequenceOffset)
    }
}

/// Where in a record's bytes `prev` and `seq` are to be filled in.
struct RecordHoles: Equatable {
    /// The number of the record's bytes.
    let count: Int
    /// The offset before which `,"prev":…` belongs; 1 where it is the first member, which has no comma.
    let previousOffset: Int
    /// The offset before which `,"seq":…` belongs.
    let sequenceOffset: Int
}
