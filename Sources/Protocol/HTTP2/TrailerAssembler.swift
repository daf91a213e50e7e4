import Bytes
import HTTP

/// Makes a table of the field lines behind the content (RFC 9113 §8.1), or finds what is wrong with them.
struct TrailerAssembler: ~Copyable {
    private var section: FieldSection
    /// The lines so far.
    private(set) var fields = FieldTable()

    init(limits: HeadLimits) {
        section = FieldSection(limits: limits)
    }

    var fault: MessageFault? { section.fault }

    /// Whether the block is too far over the limit to be read to its end.
    var isHopeless: Bool { section.isHopeless }

    /// Begins another block.
    mutating func begin() {
        section.begin()
        fields.removeAll()
    }

    /// Takes one field line.
    mutating func add(name: Span<UInt8>, value: Span<UInt8>) {
        guard section.admits(name: name, value: value) else { return }
        guard !name.isEmpty, name[0] != UInt8(ascii: ":") else { return section.fail(.trailer) }
        guard section.countsLine() else { return }
        switch Self.rule(for: name) {
        case .malformed: section.fail(.trailer)
        case .dropped: break
        case .kept: fields.append(name: name, value: value)
        }
    }

    /// Takes note of a line that the library found malformed and left out.
    mutating func addMalformed(name: Span<UInt8>, valueCount: Int) {
        section.measure(name: name, valueCount: valueCount)
        section.fail(.trailer)
    }

    /// Ends the block; the fault says why it is refused.
    mutating func finish(endsStream: Bool) -> MessageFault? {
        if !endsStream { section.fail(.trailer) }
        return section.fault
    }

    /// Exchanges the lines of a block that ended without fault for `table`.
    mutating func take(into table: inout FieldTable) {
        swap(&fields, &table)
        fields.removeAll()
    }

    /// Gives the memory of earlier blocks back; not within a block.
    mutating func releaseMemory() {
        fields = FieldTable()
    }
}

extension TrailerAssembler {
    private enum Rule { case malformed, dropped, kept }

    // Framing, routing and connection fields mean nothing behind the content: who sends them means mischief. Those that
    // had to be known before it are only useless now.
    private static func rule(for name: Span<UInt8>) -> Rule {
        switch FieldName(lowercased: name) {
        case .connection, .contentLength, .host, .keepAlive, .proxyConnection, .te, .trailer, .transferEncoding,
            .upgrade:
            .malformed
        default: TrailerRules.allows(name) ? .kept : .dropped
        }
    }
}
