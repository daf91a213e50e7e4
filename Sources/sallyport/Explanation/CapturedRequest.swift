import Bytes
import Cryptography

/// One request as somebody captured it, with the certificate of its client.
///
/// The file is JSON or YAML with `method`, `url`, `headers` and so on, or a head of HTTP/1.1 as it went over the wire with
/// a PEM certificate behind it. Errors never repeat what the file holds but names of keys: it may be full of secrets.
struct CapturedRequest {
    /// The head as HTTP/1.1, for the machine that reads requests; it ends with an empty line.
    var head: [UInt8]
    /// The client's certificate and what it sent along, leaf first; empty: none was presented.
    var certificates: [Certificate] = []
    /// When it was made, if that is told.
    var time: UnixTime?
    /// The listener that it came to, if that is told.
    var listener: String?

    /// Reads a file of either form.
    ///
    /// - Throws: ``CommandFailure``, one that says what to do.
    init(file: String) throws {
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        try self.init(try FileSystem.read(file)) { path in
            try FileSystem.read(path.hasPrefix("/") ? path : folder + path)
        }
    }

    /// Reads the bytes of a file.
    ///
    /// - Parameters:
    ///   - bytes: the content.
    ///   - read: gives the content of a file that is named in it.
    init(_ bytes: [UInt8], reading read: (String) throws -> [UInt8]) throws {
        guard let text = String(validating: bytes.span) else {
            throw CommandFailure.couldNotRun("the request is not UTF-8; write it as JSON, YAML or an HTTP/1.1 head")
        }
        if Self.isHead(text) {
            try self.init(head: bytes)
        } else {
            try self.init(document: CapturedDocument(text), reading: read)
        }
    }

    /// The certificates of a PEM text.
    static func chain(_ pem: [UInt8]) throws -> [Certificate] {
        do { return try Certificate.chain(pem: pem.span) } catch {
            throw CommandFailure.couldNotRun("the client's certificate cannot be read; give PEM, leaf first")
        }
    }

    // MARK: A head as it went over the wire

    /// Whether the first line ends like a request line.
    private static func isHead(_ text: String) -> Bool {
        let line = text.prefix { !$0.isNewline }
        return line.firstMatch(of: /^[^\s:{]+ \S+ HTTP\/\d(?:\.\d)?$/) != nil
    }

    private init(head bytes: [UInt8]) throws {
        let marker = Array("-----BEGIN ".utf8)
        let certificateStart = bytes.firstRange(of: marker)?.lowerBound ?? bytes.endIndex
        var head = Array(bytes[..<certificateStart])
        // An editor's line ends stand for those of the wire; where one of the wire's is there, all are taken as they are.
        if !head.contains(UInt8(ascii: "\r")) {
            head = head.flatMap { $0 == UInt8(ascii: "\n") ? [UInt8(ascii: "\r"), $0] : [$0] }
        }
        let end = Array("\r\n\r\n".utf8)
        if let body = head.firstRange(of: end) {
            head.removeSubrange(body.upperBound...)
        } else {
            while head.last == UInt8(ascii: "\n") || head.last == UInt8(ascii: "\r") { head.removeLast() }
            head += end
        }
        self.head = head
        if certificateStart < bytes.endIndex { certificates = try Self.chain(Array(bytes[certificateStart...])) }
    }

    // MARK: A document

    private init(document: CapturedDocument, reading read: (String) throws -> [UInt8]) throws {
        head = try document.head()
        time = document.time
        listener = document.listener
        if let pem = document.certificate {
            certificates = try Self.chain(Array(pem.utf8))
        } else if let file = document.certificateFile {
            certificates = try Self.chain(try read(file))
        }
    }
}
