public import Bytes
public import Cryptography

/// Checks a log line by line: the form of each, that `seq` counts by one, and that each `prev` is the digest of the line
/// before, across files.
///
/// Any change, removal, swap, insertion or repetition of a line shows, but for two that a chain alone cannot show: that
/// lines at the end were cut off, and that the very last line was changed. A checkpoint kept elsewhere shows those.
///
/// A file is given as ``beginFile(_:)``, its bytes in order and in pieces of any size through ``input(contents:)``, and
/// ``endFile()``; or line by line through ``input(line:)``. After a fault nothing further is to be given.
public struct AuditVerifier: ~Copyable {
    /// Where a log, or the part of it that is read, begins.
    public enum Start: Equatable, Sendable {
        /// At the first record: `seq` 1, `prev` 64 zeros.
        case beginning
        /// Behind the record of that number and digest, which are trusted.
        case after(sequence: UInt64, digest: Digest256)
        /// Somewhere: the first line's `seq` and `prev` are taken as they are.
        case anywhere
    }

    /// The number of lines that were found good.
    public private(set) var recordCount: UInt64 = 0
    /// The last good line's number and digest, or what the log began from; nothing before the first line from anywhere.
    public private(set) var head: (sequence: UInt64, digest: Digest256)?

    private let engine: CryptographicEngine
    private var file = ""
    private var line: Int? = 0
    /// Where the last good line stands; its successor may show that it was changed.
    private var lastPlace: (file: String, line: Int?)?
    private var partialLine = ByteQueue()

    /// Makes a verifier.
    ///
    /// - Parameters:
    ///   - engine: computes the digests.
    ///   - start: where the first line stands in the log.
    public init(engine: CryptographicEngine, from start: Start = .beginning) {
        self.engine = engine
        switch start {
        case .beginning: head = (0, .zero)
        case .after(let sequence, let digest): head = (sequence, digest)
        case .anywhere: head = nil
        }
    }

    /// Begins the next file.
    ///
    /// - Parameters:
    ///   - name: what faults are to call it.
    ///   - isWhole: whether its first line is given; where not, faults name no line.
    public mutating func beginFile(_ name: String, isWhole: Bool = true) {
        file = name
        line = isWhole ? 0 : nil
        partialLine.removeAll()
    }

    /// Checks the lines that `contents` holds or completes, and keeps the beginning of one that it does not complete.
    public mutating func input(contents: Span<UInt8>) throws(AuditFault) {
        var start = 0
        while let newline = contents.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            let piece = contents.extracting(start..<newline)
            start = newline + 1
            if partialLine.isEmpty {
                try input(line: piece)
            } else {
                try completeLine(with: piece)
            }
        }
        partialLine.append(contents.extracting(start..<contents.count))
        guard partialLine.count <= AuditChain.maximumLineByteCount else { throw faultInNextLine(.tooLong) }
    }

    /// Ends the file: nothing may be left of a line without its newline.
    public mutating func endFile() throws(AuditFault) {
        guard partialLine.isEmpty else { throw faultInNextLine(.incompleteLine) }
    }

    /// Checks one line, given without its newline.
    public mutating func input(line bytes: Span<UInt8>) throws(AuditFault) {
        let record: AuditLine
        do throws(AuditFault.Kind) {
            record = try AuditLine(bytes)
        } catch {
            throw faultInNextLine(error)
        }
        try checkChain(record)
        line = line.map { $0 + 1 }
        lastPlace = (file, line)
        head = (record.sequence, engine.sha256(bytes))
        recordCount += 1
    }

    private mutating func completeLine(with piece: Span<UInt8>) throws(AuditFault) {
        var whole = ByteQueue()
        swap(&whole, &partialLine)
        whole.append(piece)
        try input(line: whole.readable)
    }

    private func checkChain(_ record: AuditLine) throws(AuditFault) {
        guard let head else { return }
        guard record.sequence == head.sequence + 1 else { throw faultInNextLine(.sequence(found: record.sequence)) }
        guard record.previous != head.digest else { return }
        guard let lastPlace else { throw faultInNextLine(.previous) }
        throw AuditFault(file: lastPlace.file, line: lastPlace.line, sequence: head.sequence, kind: .changed)
    }

    private func faultInNextLine(_ kind: AuditFault.Kind) -> AuditFault {
        AuditFault(file: file, line: line.map { $0 + 1 }, sequence: head.map { $0.sequence + 1 }, kind: kind)
    }
}
