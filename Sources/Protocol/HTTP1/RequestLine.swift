import Bytes
import HTTP

/// Where the parts of a request line lie: `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3).
struct RequestLine {
    let version: HTTPVersion
    let method: ByteRange
    /// The path and query; empty where an absolute-form target has neither.
    let target: ByteRange
    /// The authority of a target in absolute-form.
    let authority: ByteRange?
    /// Whether that form names `http`.
    let namesPlainHTTP: Bool

    /// Reads the line in `bytes`, as found by ``HeadScanner``: they end with its CRLF.
    init(_ bytes: Span<UInt8>) throws(MessageFault) {
        let line = bytes.extracting(0..<bytes.count - 2)
        guard let methodEnd = line.firstIndex(of: UInt8(ascii: " ")) else { throw .requestLine }
        guard ByteSet.token.holdsAll(of: line.extracting(0..<methodEnd)) else { throw .method }
        let start = methodEnd + 1
        guard let targetEnd = line.firstIndex(of: UInt8(ascii: " "), from: start), targetEnd > start else {
            throw .requestLine
        }
        version = try Self.version(line.extracting((targetEnd + 1)...))
        method = ByteRange(start: 0, count: methodEnd)
        let isConnect = line.extracting(0..<methodEnd).equals("CONNECT")
        guard !isConnect else { throw .connect }
        let text = line.extracting(start..<targetEnd)
        guard ByteSet.visible.holdsAll(of: text) else { throw .target }
        if text[0] == UInt8(ascii: "/") {
            target = ByteRange(start: start, count: text.count)
            authority = nil
            namesPlainHTTP = false
        } else if text.equals("*") {
            guard line.extracting(0..<methodEnd).equals("OPTIONS") else { throw .target }
            target = ByteRange(start: start, count: 1)
            authority = nil
            namesPlainHTTP = false
        } else {
            let hostStart = try Self.endOfScheme(text)
            let hostEnd = Self.endOfAuthority(text, from: hostStart)
            namesPlainHTTP = hostStart == "http://".utf8.count
            authority = ByteRange(start: start + hostStart, count: hostEnd - hostStart)
            target = ByteRange(start: start + hostEnd, count: text.count - hostEnd)
        }
    }

    private static func version(_ text: Span<UInt8>) throws(MessageFault) -> HTTPVersion {
        if text.equals("HTTP/1.1") { return .http11 }
        if text.equals("HTTP/1.0") { return .http10 }
        throw text.firstIndex(of: UInt8(ascii: " ")) == nil ? .version : .requestLine
    }

    /// The offset behind `https://` or `http://`.
    private static func endOfScheme(_ target: Span<UInt8>) throws(MessageFault) -> Int {
        if target.count > 8, target.extracting(0..<8).equalsIgnoringCase("https://") { return 8 }
        if target.count > 7, target.extracting(0..<7).equalsIgnoringCase("http://") { return 7 }
        throw .target
    }

    private static func endOfAuthority(_ target: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < target.count, target[end] != UInt8(ascii: "/"), target[end] != UInt8(ascii: "?") { end += 1 }
        return end
    }
}
