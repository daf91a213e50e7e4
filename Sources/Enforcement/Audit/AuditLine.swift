import Bytes
import JSON

/// What a line of the log says of its place in the chain, once the line has the form that the gateway writes.
struct AuditLine: Equatable {
    /// The member `seq`.
    let sequence: UInt64
    /// The member `prev`.
    let previous: Digest256

    /// Reads a line without its newline.
    init(_ line: Span<UInt8>) throws(AuditFault.Kind) {
        guard line.count <= AuditChain.maximumLineByteCount else { throw .tooLong }
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(line)
        } catch {
            throw .notJSON(error)
        }
        guard document.root.kind == .object else { throw .notAnObject }
        guard !line.hasSpaceBetweenTokens else { throw .whiteSpace }
        guard Self.isSorted(document.root) else { throw .keyOrder }
        previous = try Self.previous(in: document.root)
        sequence = try Self.sequence(in: document.root)
        guard let time = document.root.member("time")?.text, time.isTimestamp else { throw .member("time") }
        guard let event = document.root.member("event")?.string else { throw .member("event") }
        guard AuditEvent(rawValue: event) != nil else { throw .unknownEvent(event) }
    }

    private static func previous(in record: borrowing JSONValue) throws(AuditFault.Kind) -> Digest256 {
        guard let text = record.member("prev")?.text, let digest = Digest256(hexadecimal: text) else {
            throw .member("prev")
        }
        return digest
    }

    private static func sequence(in record: borrowing JSONValue) throws(AuditFault.Kind) -> UInt64 {
        guard let number = record.member("seq")?.integer, number > 0 else { throw .member("seq") }
        return UInt64(number)
    }

    /// Whether the keys of every object within are in code-point order; the depth is the reader's limit.
    private static func isSorted(_ value: borrowing JSONValue) -> Bool {
        var elements = value.elements
        while let element = elements.next() {
            guard isSorted(element) else { return false }
        }
        var members = value.members
        guard let first = members.next() else { return true }
        guard isSorted(first.value) else { return false }
        var name = first.name
        while let member = members.next() {
            guard name.precedes(member.name), isSorted(member.value) else { return false }
            name = member.name
        }
        return true
    }
}

extension Span where Element == UInt8 {
    /// Whether white space stands outside the strings of this JSON text.
    fileprivate var hasSpaceBetweenTokens: Bool {
        var isInString = false
        var index = 0
        while index < count {
            switch self[index] {
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "\\"): index += 1
            case 0x09, 0x0a, 0x0d, 0x20: if !isInString { return true }
            default: break
            }
            index += 1
        }
        return false
    }

    /// Whether it has the shape `dddd-dd-ddTdd:dd:dd.ddddddZ`.
    fileprivate var isTimestamp: Bool {
        let shape = ("dddd-dd-ddTdd:dd:dd.ddddddZ" as StaticString).span
        guard count == shape.count else { return false }
        for index in indices {
            let isDigit = self[index] >= UInt8(ascii: "0") && self[index] <= UInt8(ascii: "9")
            guard shape[index] == UInt8(ascii: "d") ? isDigit : self[index] == shape[index] else { return false }
        }
        return true
    }
}
