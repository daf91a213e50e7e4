import Bytes
import HTTP

extension RequestHead {
    /// Fills the head from the bytes of one whose end was found and whose request line was read.
    ///
    /// - Parameters:
    ///   - bytes: begin with the request line.
    ///   - start: where the field lines begin.
    ///   - lineEnds: where they end.
    /// - Throws: where it is malformed; what was understood until then stays in the head.
    mutating func fill(
        _ line: RequestLine, from bytes: Span<UInt8>, fieldsAt start: Int, lineEnds: [UInt32]
    ) throws(MessageFault) {
        removeAll()
        version = line.version
        namesPlainHTTP = line.namesPlainHTTP
        method.append(bytes.extracting(line.method.offsets))
        takeTarget(line, from: bytes)
        var framingFields = FramingFields()
        var hostLines = 0
        var position = start
        for lineEnd in lineEnds {
            let end = Int(lineEnd)
            let field = try FieldLine(bytes, in: position..<end)
            position = end
            let name = bytes.extracting(field.name)
            let value = bytes.extracting(field.value)
            if name.equalsIgnoringCase("host") {
                hostLines += 1
                guard hostLines == 1, Authority(value) != nil else { throw .host }
                authority.append(value)
            } else {
                fields.append(name: name, value: value)
                try framingFields.note(fields[fields.count - 1].known, value)
            }
        }
        if version == .http11, hostLines == 0 { throw .host }
        if let range = line.authority { try agree(bytes.extracting(range.offsets)) }
        try framingFields.check(version)
        framing = framingFields.declared ?? BodyFraming.none
        keepsAlive = framingFields.keepsAlive(version)
        guard version == .http11 else { return }
        expectsContinue = framingFields.expectsContinue && framing != .none
        acceptsTrailers = framingFields.acceptsTrailers
        if framingFields.saysUpgrade, framing == .none, method.readable.equals("GET") {
            fields.appendUpgrade(to: &upgrade)
        }
    }

    /// Takes the origin-form of the target: `/` stands for an empty path, `*` for the whole server (RFC 9112 §3.2.4).
    private mutating func takeTarget(_ line: RequestLine, from bytes: Span<UInt8>) {
        let text = bytes.extracting(line.target.offsets)
        if text.isEmpty, method.readable.equals("OPTIONS") {
            target.append(UInt8(ascii: "*"))
            return
        }
        if text.isEmpty || text[0] == UInt8(ascii: "?") { target.append(UInt8(ascii: "/")) }
        target.append(text)
    }

    /// Takes the authority of an absolute-form target, which counts instead of `Host` (RFC 9112 §3.2.2): here they must agree.
    private mutating func agree(_ named: Span<UInt8>) throws(MessageFault) {
        guard Authority(named) != nil else { throw .authority }
        guard authority.isEmpty || Authority.agree(named, authority.readable) else { throw .authority }
        authority.removeAll()
        authority.append(named)
    }
}
