import Bytes
import HTTP

/// Makes a response head of the field lines of one field block (RFC 9113 §8.3.2), or finds what is wrong with them.
///
/// The counterpart of ``RequestHeadAssembler``: as strict, and with the rules for content that an answer has.
struct ResponseHeadAssembler: ~Copyable {
    private var section: FieldSection
    /// What the lines so far say; whole once ``finish(endsStream:toHead:)`` found no fault, and then to be taken.
    var head = ResponseHead()
    private var sawRegularField = false
    private var contentLength: UInt64?

    init(limits: HeadLimits) {
        section = FieldSection(limits: limits)
    }

    var fault: MessageFault? { section.fault }

    /// What the block counts so far, in bytes.
    var bytes: Int { section.bytes }

    /// Whether the block is too far over the limit to be read to its end.
    var isHopeless: Bool { section.isHopeless }

    /// Whether the head is an interim one, after which another comes.
    var isInterim: Bool { head.status < 200 }

    /// Begins another block.
    mutating func begin() {
        section.begin()
        head.removeAll()
        sawRegularField = false
        contentLength = nil
    }

    /// Takes one field line.
    mutating func add(name: Span<UInt8>, value: Span<UInt8>) {
        guard section.admits(name: name, value: value) else { return }
        guard !name.isEmpty, name[0] == UInt8(ascii: ":") else { return addRegular(name: name, value: value) }
        guard name.equals(":status"), !sawRegularField, head.status == 0 else { return section.fail(.pseudoField) }
        guard let status = Self.status(value) else { return section.fail(.statusLine) }
        head.status = status
    }

    /// Takes note of a line that the library found malformed and left out.
    mutating func addMalformed(name: Span<UInt8>, valueCount: Int, nameIsValid: Bool) {
        section.measure(name: name, valueCount: valueCount)
        section.fail(FieldSection.fault(ofMalformed: name, nameIsValid: nameIsValid))
    }

    // Three digits; 101 is not for HTTP/2 (RFC 9113 §8.6).
    private static func status(_ digits: Span<UInt8>) -> UInt16? {
        guard digits.count == 3, let status = FieldSection.decimal(digits) else { return nil }
        return (100...599).contains(status) && status != 101 ? UInt16(status) : nil
    }

    private mutating func addRegular(name: Span<UInt8>, value: Span<UInt8>) {
        sawRegularField = true
        let known = FieldName(lowercased: name)
        guard section.countsLine() else { return }
        switch known {
        case .connection, .keepAlive, .proxyConnection, .upgrade, .te, .host: section.fail(.fieldName)
        case .transferEncoding: section.fail(.transferEncoding)
        case .contentLength:
            guard contentLength == nil, let length = FieldSection.decimal(value) else {
                return section.fail(.contentLength)
            }
            contentLength = length
            head.fields.append(known, value: value)
        case .other: head.fields.append(name: name, value: value)
        default: head.fields.append(known, value: value)
        }
    }

    /// Ends the block: the head is whole, or the fault says why there is none.
    ///
    /// - Parameters:
    ///   - endsStream: whether END_STREAM came with the block.
    ///   - toHead: whether it answers a HEAD request.
    mutating func finish(endsStream: Bool, toHead: Bool) -> MessageFault? {
        if head.status == 0 { section.fail(.pseudoField) }
        switch head.status {
        case ..<200:
            if endsStream || contentLength != nil { section.fail(.framing) }
        case 204:
            // A length of zero is superfluous but harmless; content is a lie (RFC 9110 §15.3.5).
            if let contentLength, contentLength > 0 { section.fail(.framing) }
        case 304: head.framing = declared ?? .none
        case _ where toHead: head.framing = declared ?? .none
        default:
            if endsStream, let contentLength, contentLength > 0 { section.fail(.contentLength) }
            head.framing = endsStream ? .none : declared ?? .streamed
        }
        return fault
    }

    private var declared: BodyFraming? {
        contentLength.map { $0 == 0 ? BodyFraming.none : .length($0) }
    }

    /// Gives the memory of earlier blocks back; not within a block.
    mutating func releaseMemory() {
        head = ResponseHead()
    }
}
