import Bytes
import HTTP

extension ResponseHead {
    /// Fills the head from the bytes of one whose end was found and whose status line was read.
    ///
    /// For the answer to HEAD and for a 304, the framing is what the content would have; ``BodyFraming/none`` where that
    /// is not said.
    ///
    /// - Parameter wanted: the protocol that the request asked to change to; empty where it asked for none.
    /// - Returns: what the fields say of framing and connection.
    /// - Throws: where it is malformed.
    mutating func fill(
        _ line: StatusLine, from bytes: Span<UInt8>, fieldsAt start: Int, lineEnds: [UInt32], toHEAD isHEAD: Bool,
        wanting wanted: Span<UInt8>
    ) throws(MessageFault) -> FramingFields {
        removeAll()
        status = line.status
        var framingFields = FramingFields()
        var position = start
        for lineEnd in lineEnds {
            let end = Int(lineEnd)
            let field = try FieldLine(bytes, in: position..<end)
            position = end
            let value = bytes.extracting(field.value)
            fields.append(name: bytes.extracting(field.name), value: value)
            try framingFields.note(response: fields[fields.count - 1].known, value)
        }
        try framingFields.check(line.version)
        if status == 101 { try takeUpgrade(framingFields, wanted: wanted) }
        try takeFraming(framingFields.declared, toHEAD: isHEAD)
        return framingFields
    }

    /// The connection is given over to the protocol that was asked for, and to no other (RFC 9110 §15.2.2).
    private mutating func takeUpgrade(_ framingFields: FramingFields, wanted: Span<UInt8>) throws(MessageFault) {
        guard !wanted.isEmpty else { throw .statusLine }
        fields.appendUpgrade(to: &upgrade)
        guard framingFields.saysUpgrade, upgrade.readable.equals(wanted) else { throw .upgrade }
    }

    private mutating func takeFraming(_ declared: BodyFraming?, toHEAD isHEAD: Bool) throws(MessageFault) {
        switch status {
        case 100..<200:
            guard declared == nil else { throw .framing }
        case 204:
            // A length of zero is superfluous but harmless; content is a lie (RFC 9110 §15.3.5).
            guard declared == nil || declared == BodyFraming.none else { throw .framing }
        case 304: framing = declared ?? BodyFraming.none
        default: framing = declared ?? (isHEAD ? BodyFraming.none : .untilClose)
        }
    }
}
