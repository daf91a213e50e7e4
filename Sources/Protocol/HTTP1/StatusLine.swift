import Bytes
import HTTP

/// A status line: `HTTP-version SP status-code [ SP reason-phrase ] CRLF` (RFC 9112 §4).
struct StatusLine {
    let version: HTTPVersion
    let status: UInt16

    /// Reads the line in `bytes`, as found by ``HeadScanner``: they end with its CRLF and hold no other control but tab.
    ///
    /// The phrase is forgotten. It may be absent together with its space: many servers leave both out.
    init(_ bytes: Span<UInt8>) throws(MessageFault) {
        let line = bytes.extracting(0..<bytes.count - 2)
        guard line.count >= 12, line[8] == UInt8(ascii: " ") else { throw .statusLine }
        if line.extracting(0..<8).equals("HTTP/1.1") {
            version = .http11
        } else if line.extracting(0..<8).equals("HTTP/1.0") {
            version = .http10
        } else {
            throw .version
        }
        guard let code = FramingFields.decimal(line.extracting(9..<12)), (100...599).contains(code) else {
            throw .statusLine
        }
        status = UInt16(code)
        guard line.count > 12 else { return }
        guard line[12] == UInt8(ascii: " ") else { throw .statusLine }
    }
}
