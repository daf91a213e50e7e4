public import Bytes
public import Cryptography

/// The end of a log's newest file, which the gateway continues when it starts.
public struct AuditTail: Equatable, Sendable {
    /// The number of the last complete line.
    public let sequence: UInt64
    /// The digest of the last complete line.
    public let digest: Digest256
    /// The number of bytes behind the last newline: what is left of a write that a crash cut short.
    public let tornByteCount: Int

    /// Makes a tail of known parts.
    public init(sequence: UInt64, digest: Digest256, tornByteCount: Int) {
        self.sequence = sequence
        self.digest = digest
        self.tornByteCount = tornByteCount
    }

    /// Checks the lines at the end of a file.
    ///
    /// - Parameters:
    ///   - window: the file's last bytes.
    ///   - isWholeFile: whether the window begins where the file does; where not, what stands before the first newline
    ///     is passed over.
    ///   - file: what faults are to call it.
    ///   - start: where the file's first line stands in the log, as far as that is known.
    ///   - engine: computes the digests.
    /// - Returns: nothing where the window holds no complete line.
    /// - Throws: what is wrong with a complete line.
    public init?(
        window: Span<UInt8>, isWholeFile: Bool, file: String, from start: AuditVerifier.Start = .anywhere,
        engine: CryptographicEngine
    ) throws(AuditFault) {
        let newline = UInt8(ascii: "\n")
        var end = window.count
        while end > 0, window[end - 1] != newline { end -= 1 }
        var first = 0
        if !isWholeFile {
            guard let behind = window.firstIndex(of: newline) else { return nil }
            first = behind + 1
        }
        guard first < end else { return nil }
        var verifier = AuditVerifier(engine: engine, from: isWholeFile ? start : .anywhere)
        verifier.beginFile(file, isWhole: isWholeFile)
        try verifier.input(contents: window.extracting(first..<end))
        guard let head = verifier.head else { return nil }
        (sequence, digest) = head
        tornByteCount = window.count - end
    }
}
