/// Finds anchors, aliases and tags in YAML text before it is parsed.
///
/// A configuration says everything where it is read, so all three are refused. They are found in the text because a
/// parser expands aliases first, and a few lines of nested ones expand without bound.
///
/// It reads just enough of the syntax to know where a node can begin: quotes and comments are skipped.
struct IndirectionScan {
    /// Something that points elsewhere, and its line.
    struct Finding: Equatable, Sendable {
        let line: Int
        let kind: Kind
    }

    /// What was found.
    enum Kind: Equatable, Sendable { case anchor, alias, tag }

    private enum State { case nodeStart, plain, single, double, comment }

    private var state = State.nodeStart
    private var line = 1
    private var previous = UInt8(ascii: "\n")
    private var findings: [Finding] = []

    /// Every anchor, alias and tag of `text`, in order.
    static func findings(in text: String) -> [Finding] {
        var scan = IndirectionScan()
        var skip = false
        for byte in text.utf8 {
            // An escaped character of a double-quoted scalar is never its end.
            if skip {
                skip = false
            } else {
                skip = scan.state == .double && byte == UInt8(ascii: "\\")
                scan.input(byte)
            }
            if byte == UInt8(ascii: "\n") { scan.line += 1 }
            scan.previous = byte
        }
        return scan.findings
    }

    private mutating func input(_ byte: UInt8) {
        switch state {
        case .comment:
            if byte == UInt8(ascii: "\n") { state = .nodeStart }
        case .single:
            if byte == UInt8(ascii: "'") { state = .plain }
        case .double:
            if byte == UInt8(ascii: "\"") { state = .plain }
        case .plain:
            inputPlain(byte)
        case .nodeStart:
            inputNodeStart(byte)
        }
    }

    private mutating func inputPlain(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","): state = .nodeStart
        case UInt8(ascii: "'") where previous == byte: state = .single  // a doubled quote: the scalar goes on
        case UInt8(ascii: "#") where Self.isBlank(previous): state = .comment
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            if previous == UInt8(ascii: ":") { state = .nodeStart }
        default: break
        }
    }

    private mutating func inputNodeStart(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): find(.anchor)
        case UInt8(ascii: "*"): find(.alias)
        case UInt8(ascii: "!"): find(.tag)
        case UInt8(ascii: "\""): state = .double
        case UInt8(ascii: "'"): state = .single
        case UInt8(ascii: "#") where Self.isBlank(previous): state = .comment
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): break
        case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "{"),
            UInt8(ascii: ","):
            break
        default: state = .plain
        }
    }

    private mutating func find(_ kind: Kind) {
        findings.append(Finding(line: line, kind: kind))
        state = .plain
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
    }
}
