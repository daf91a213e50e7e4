import Bytes
import HTTP

/// A second reader of HTTP/1.1, which knows only the form that the machines write: one length or one `chunked`, single
/// spaces, no extensions, and nothing left over.
struct CanonicalHTTP1: Equatable {
    private(set) var startLine: [UInt8]
    private(set) var fields: [HTTP1Field]
    private(set) var content: [UInt8] = []
    private(set) var trailers: [HTTP1Field] = []

    /// Reads one message; nothing where the bytes are anything else.
    ///
    /// - Parameter hasContent: false for an answer that has none whatever its fields say.
    init?(_ bytes: [UInt8], hasContent: Bool = true) {
        var rest = bytes[...]
        guard let line = Self.line(&rest), let fields = Self.fields(&rest) else { return nil }
        startLine = line
        self.fields = fields
        let lengths = fields.filter { $0.name == Array("content-length".utf8) }
        let codings = fields.filter { $0.name == Array("transfer-encoding".utf8) }
        guard lengths.count + codings.count <= 1 else { return nil }
        if hasContent {
            if let length = lengths.first {
                guard let count = Int(String(decoding: length.value, as: UTF8.self)), count <= rest.count else {
                    return nil
                }
                content = Array(rest.prefix(count))
                rest = rest.dropFirst(count)
            } else if let coding = codings.first {
                guard coding.value == Array("chunked".utf8), takeChunks(&rest) else { return nil }
            }
        }
        guard rest.isEmpty else { return nil }
    }

    private mutating func takeChunks(_ rest: inout ArraySlice<UInt8>) -> Bool {
        while let line = Self.line(&rest), let size = Int(String(decoding: line, as: UTF8.self), radix: 16) {
            if size == 0 {
                guard let lines = Self.fields(&rest) else { return false }
                trailers = lines
                return true
            }
            guard size > 0, rest.count >= size + 2 else { return false }
            content += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard Self.line(&rest) == [] else { return false }
        }
        return false
    }

    /// The field lines up to the empty line.
    private static func fields(_ rest: inout ArraySlice<UInt8>) -> [HTTP1Field]? {
        var fields: [HTTP1Field] = []
        while let line = line(&rest) {
            if line.isEmpty { return fields }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0, colon + 1 < line.count,
                line[colon + 1] == UInt8(ascii: " ")
            else { return nil }
            fields.append(HTTP1Field(name: Array(line[..<colon]), value: Array(line[(colon + 2)...])))
        }
        return nil
    }

    /// The next line without its end: what any reader might take for one ends it.
    private static func line(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        let enders: [UInt8] = [0x00, 0x0A, 0x0B, 0x0C, 0x0D]
        guard let end = rest.firstIndex(where: enders.contains), rest[end...].starts(with: [0x0D, 0x0A]) else {
            return nil
        }
        let line = Array(rest[..<end])
        rest = rest[(end + 2)...]
        return line
    }
}
