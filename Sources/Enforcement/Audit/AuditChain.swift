public import Bytes
public import Cryptography

/// The head of a log's chain: the number and the digest of its last line.
///
/// It turns records into lines: `prev` is the SHA-256 of the previous line's bytes without the newline, 64 zeros before
/// the first; `seq` counts from 1.
public struct AuditChain {
    /// The number of the last line; 0: there is none.
    public private(set) var sequence: UInt64
    /// The digest of the last line's bytes without the newline; all zero: there is none.
    public private(set) var previous: Digest256
    private let engine: CryptographicEngine

    /// The longest line that is written or read, in bytes without the newline: 1 MiB.
    public static let maximumLineByteCount = 1 << 20

    /// Begins a log.
    public init(engine: CryptographicEngine) {
        self.init(resumingAfter: 0, previous: .zero, engine: engine)
    }

    /// Continues a log behind its last line.
    ///
    /// - Parameters:
    ///   - sequence: the `seq` of that line.
    ///   - previous: the SHA-256 of that line's bytes without the newline.
    ///   - engine: computes the digests; of the thread that uses the chain.
    public init(resumingAfter sequence: UInt64, previous: Digest256, engine: CryptographicEngine) {
        self.sequence = sequence
        self.previous = previous
        self.engine = engine
    }

    /// Appends `record`, which must be finished, to `lines` as the next line, with its newline.
    public mutating func append(_ record: borrowing AuditRecord, to lines: inout ByteQueue) {
        guard let holes = record.holes else { preconditionFailure("an unfinished record has no line") }
        let start = lines.count
        let contents = record.contents
        lines.append(contents.extracting(0..<holes.previousOffset))
        appendPrevious(to: &lines, at: holes.previousOffset)
        lines.append(contents.extracting(holes.previousOffset..<holes.sequenceOffset))
        appendSequence(to: &lines)
        lines.append(contents.extracting(holes.sequenceOffset..<holes.count))
        endLine(&lines, from: start)
    }

    /// Fills the first hole, which is at that offset in the record.
    func appendPrevious(to lines: inout ByteQueue, at offset: Int) {
        let digits = previous.digits
        lines.append(key: "prev", plainText: digits.span, after: offset > 1 ? UInt8(ascii: ",") : nil)
    }

    /// Fills the second hole.
    func appendSequence(to lines: inout ByteQueue) {
        lines.append(",\"seq\":")
        lines.append(decimal: sequence + 1)
    }

    /// Makes what lies in `lines` from the offset `start` on the last line, and ends it.
    mutating func endLine(_ lines: inout ByteQueue, from start: Int) {
        previous = engine.sha256(lines.readable.extracting(start..<lines.count))
        sequence += 1
        lines.append(UInt8(ascii: "\n"))
    }
}
