import Yams

/// Reads YAML text into a ``DocumentNode``, and refuses what a configuration may not hold: anchors, aliases, tags,
/// duplicate keys, keys that are not text, a second document.
struct DocumentParser {
    /// The longest text that is read, in bytes.
    static let maximumByteCount = 1 << 20

    /// A character that no key has: it marks the first of two equal keys, so that Yams, which gives up at the first
    /// duplicate, reads on and every fault is found in one go.
    private static let duplicateMark: Character = "\u{E000}"
    private static let maximumRepairs = 64

    let faults: FaultCollector

    /// The document, or nothing where it could not be read at all; faults tell why.
    func parse(_ text: String) -> DocumentNode? {
        guard text.utf8.count <= Self.maximumByteCount else {
            refuse(nil, "the file is larger than 1 MiB; is it the right file?")
            return nil
        }
        let findings = IndirectionScan.findings(in: text)
        guard findings.isEmpty else {
            for finding in findings { refuse(finding.line, Self.sentence(for: finding.kind)) }
            return nil
        }
        guard let root = compose(text) else { return nil }
        return convert(root, path: "")
    }

    /// Composes the text; while a mapping has two equal keys, marks the first of them and composes again.
    private func compose(_ text: String) -> Node? {
        let lastLine = text.split(separator: "\n", omittingEmptySubsequences: false).count
        // Yams keeps a pointer to the text, which must therefore not be one that Swift stores inline.
        var text = text + String(repeating: "\n", count: 16)
        for _ in 0...Self.maximumRepairs {
            do throws(any Error) {
                guard let root = try Parser(yaml: text, encoding: .utf8).singleRoot() else {
                    refuse(nil, "the file is empty; write at least a listener")
                    return nil
                }
                return root
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                guard let repaired = Self.marking(context.mark, in: text) else {
                    refuse(context.mark.line, "a key is given twice; keep one")
                    return nil
                }
                text = repaired
            } catch {
                refuse(error, lastLine: lastLine)
                return nil
            }
        }
        refuse(nil, "too many keys are given twice; keep one of each")
        return nil
    }

    /// The text with the mark put into the key at `mark`, or nothing where the place is not in the text.
    private static func marking(_ mark: Mark, in text: String) -> String? {
        var scalars = Array(text.unicodeScalars)
        var line = 1
        var index = 0
        while index < scalars.count, line < mark.line {
            if scalars[index] == "\n" { line += 1 }
            index += 1
        }
        index += mark.column - 1
        guard index < scalars.count else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        scalars.insert(contentsOf: duplicateMark.unicodeScalars, at: index)
        var marked = String.UnicodeScalarView()
        marked.append(contentsOf: scalars)
        return String(marked)
    }

    private func convert(_ node: Node, path: String) -> DocumentNode? {
        let line = node.mark?.line ?? 1
        guard node.anchor == nil else {
            faults.refuse(line: line, keyPath: path, Self.sentence(for: .anchor))
            return nil
        }
        switch node {
        case .scalar(let scalar):
            let isNothing = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            return DocumentNode(
                line: line, content: isNothing ? .nothing : .scalar(scalar.string), isQuoted: scalar.style != .plain)
        case .sequence(let sequence):
            let items = sequence.enumerated().compactMap { convert($0.element, path: "\(path)[\($0.offset)]") }
            return DocumentNode(line: line, content: .sequence(items))
        case .mapping(let mapping):
            return DocumentNode(line: line, content: .mapping(entries(of: mapping, path: path)))
        case .alias:
            faults.refuse(line: line, keyPath: path, Self.sentence(for: .alias))
            return nil
        }
    }

    private func entries(of mapping: Node.Mapping, path: String) -> [DocumentNode.Entry] {
        var entries: [DocumentNode.Entry] = []
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            let line = key.mark?.line ?? 1
            guard case .scalar(let scalar) = key else {
                faults.refuse(line: line, keyPath: path, "a key is not text; write a name followed by a colon")
                continue
            }
            let name = scalar.string.filter { $0 != Self.duplicateMark }
            let keyPath = path.isEmpty ? name : "\(path).\(name)"
            if let first = lines[name] {
                faults.refuse(
                    line: line, keyPath: keyPath, "the key is given on line \(first) already; keep one of them")
                continue
            }
            lines[name] = line
            guard let value = convert(value, path: keyPath) else { continue }
            entries.append(DocumentNode.Entry(key: name, line: line, value: value))
        }
        return entries
    }

    private func refuse(_ line: Int?, _ message: String) {
        faults.refuse(line: line, keyPath: "", message)
    }

    private func refuse(_ error: any Error, lastLine: Int) {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _):
            refuse(min(mark.line, lastLine), "this is not YAML that can be read: \(problem)")
        case YamlError.composer(_, let problem, let mark, _):
            refuse(min(mark.line, lastLine), "\(problem); a configuration is one document")
        case YamlError.reader(let problem, let offset, _, let yaml):
            let line = offset.map { 1 + yaml.prefix($0).count { $0.isNewline } }
            refuse(line, "this is not text that YAML allows: \(problem)")
        default:
            refuse(nil, "the file could not be read as YAML")
        }
    }

    private static func sentence(for kind: IndirectionScan.Kind) -> String {
        switch kind {
        case .anchor: "anchors (&name) are not allowed; write the value where it is used"
        case .alias: "aliases (*name) are not allowed; write the value out, or quote text that begins with *"
        case .tag: "tags (!name) are not allowed; write the value without one, or quote text that begins with !"
        }
    }
}
