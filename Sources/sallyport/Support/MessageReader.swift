import Bytes

/// Reads HTTP/1.1 messages (RFC 9112) from a stream, and shows them as they came.
///
/// It is lenient, so that the echo service shows whatever reaches it, and apart from the gateway's own machines, so that
/// a mistake in those shows too. It is for tools: nothing rests on its judgement.
struct MessageReader {
    /// A message that cannot be read on.
    enum Failure: Error, Equatable {
        /// The stream ended within a message.
        case truncated
        /// A line is too long, or not what should stand there.
        case malformed
    }

    /// The head of a message.
    struct Head {
        /// The request line or status line.
        let startLine: String
        /// Names and values in order, spelt as they came.
        let fields: [(name: String, value: String)]

        /// The values of a field, the case of its name ignored.
        func values(_ name: String) -> [String] {
            fields.filter { $0.name.lowercased() == name }.map(\.value)
        }

        /// Whether a field's list holds `token`, case ignored.
        func has(_ token: String, in name: String) -> Bool {
            values(name).contains { value in
                value.lowercased().split(separator: ",").contains { $0.trimmed == token }
            }
        }
    }

    /// How the end of a body is known (RFC 9112 §6.3).
    enum Framing: Equatable {
        case none, chunked, untilClose
        case length(Int)
    }

    private static let longestLine = 1 << 20

    private let more: () throws -> [UInt8]
    private var buffer: [UInt8] = []
    private var start = 0

    /// Reads from `more`, which returns nothing at the end.
    init(_ more: @escaping () throws -> [UInt8]) {
        self.more = more
    }

    /// The next head, or nothing where the stream ends before it.
    mutating func readHead() throws -> Head? {
        guard var line = try readLine() else { return nil }
        // A robust reader passes over one empty line before a request (RFC 9112 §2.2).
        if line.isEmpty { line = try readLine() ?? "" }
        guard !line.isEmpty else { return nil }
        return Head(startLine: line, fields: try readFields())
    }

    /// The framing of a request's body.
    static func framing(ofRequest head: Head) throws -> Framing {
        if head.has("chunked", in: "transfer-encoding") { return .chunked }
        guard let text = head.values("content-length").first else { return .none }
        guard let length = Int(text), length >= 0 else { throw Failure.malformed }
        return .length(length)
    }

    /// The framing of the body of an answer with `status` to a request of `method`.
    static func framing(ofAnswer head: Head, status: Int, method: String) throws -> Framing {
        if method == "HEAD" || status == 204 || status == 304 || status < 200 { return .none }
        let framing = try framing(ofRequest: head)
        return framing == .none ? .untilClose : framing
    }

    /// Reads a body to its end, piece by piece.
    mutating func readBody(_ framing: Framing, _ consume: (Span<UInt8>) -> Void) throws {
        switch framing {
        case .none: break
        case .length(let length): try read(length, consume)
        case .untilClose:
            repeat {
                let piece = buffer[start...]
                consume(piece.span)
                start = buffer.count
            } while try fill()
        case .chunked:
            while let size = try readChunkSize(), size > 0 {
                try read(size, consume)
                guard try readLine() == "" else { throw Failure.malformed }
            }
            _ = try readFields()
        }
    }

    private mutating func readChunkSize() throws -> Int? {
        guard let line = try readLine() else { throw Failure.truncated }
        let digits = line.prefix { $0 != ";" }
        guard let size = Int(digits.trimmed, radix: 16), size >= 0 else { throw Failure.malformed }
        return size
    }

    private mutating func readFields() throws -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        while true {
            guard let line = try readLine() else { throw Failure.truncated }
            if line.isEmpty { return fields }
            guard let colon = line.firstIndex(of: ":") else { throw Failure.malformed }
            fields.append((String(line[..<colon]), line[line.index(after: colon)...].trimmed))
        }
    }

    private mutating func read(_ count: Int, _ consume: (Span<UInt8>) -> Void) throws {
        var rest = count
        while rest > 0 {
            if start == buffer.count, try !fill() { throw Failure.truncated }
            let piece = buffer[start..<min(start + rest, buffer.count)]
            consume(piece.span)
            start += piece.count
            rest -= piece.count
        }
    }

    /// The next line without its end, or nothing where the stream ends before it.
    private mutating func readLine() throws -> String? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                var line = buffer[start..<end]
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                start = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            guard buffer.count - start < Self.longestLine else { throw Failure.malformed }
            let waiting = buffer.count - start
            guard try fill() else {
                guard waiting == 0 else { throw Failure.truncated }
                return nil
            }
            searched = start + waiting
        }
    }

    /// Takes the next bytes, behind those that wait; false at the end.
    private mutating func fill() throws -> Bool {
        let bytes = try more()
        if start == buffer.count {
            buffer = bytes
        } else {
            buffer.removeFirst(start)
            buffer.append(contentsOf: bytes)
        }
        start = 0
        return !bytes.isEmpty
    }
}

extension StringProtocol {
    /// The text without spaces and tabs at its ends.
    fileprivate var trimmed: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(self.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
