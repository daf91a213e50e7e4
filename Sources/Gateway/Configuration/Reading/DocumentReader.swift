import Bytes

/// One value of a document with its key path: reads it as what it should be, or says what is wrong with it.
///
/// A reading function that returns nothing has noted a fault; whoever calls it just goes on, so that one run finds all.
struct DocumentReader {
    let node: DocumentNode
    /// The way to the value, such as `listeners[0].tls`.
    let path: String
    /// The line to name: that of a scalar itself, and that of its key for a collection.
    let line: Int
    let faults: FaultCollector

    /// Makes a reader of a whole document.
    init(document: DocumentNode, faults: FaultCollector) {
        self.init(node: document, path: "", line: document.line, faults: faults)
    }

    init(node: DocumentNode, path: String, line: Int, faults: FaultCollector) {
        self.node = node
        self.path = path
        self.line = line
        self.faults = faults
    }

    /// Notes that the value is wrong.
    func refuse(_ message: String) {
        faults.refuse(line: line, keyPath: path, message)
    }

    /// Notes that the value is doubtful.
    func warn(_ message: String) {
        faults.warn(line: line, keyPath: path, message)
    }

    /// Text that is not empty.
    func text() -> String? {
        switch node.content {
        case .scalar(let text) where !text.isEmpty: return text
        case .scalar, .nothing: refuse("there is no value; write one or remove the key")
        case .sequence: refuse("a list stands where one value is wanted; write the value alone")
        case .mapping: refuse("keys stand where one value is wanted; write the value alone")
        }
        return nil
    }

    /// Text that `read` understands; `expected` completes "write …".
    func value<Value>(expected: String, _ read: (String) -> Value?) -> Value? {
        guard let text = text() else { return nil }
        guard let value = read(text) else {
            refuse("\(Self.quoted(text)) is not understood; write \(expected)")
            return nil
        }
        return value
    }

    /// One of the names of `Choice`.
    func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        value(expected: Self.alternatives(Choice.allCases.map(\.rawValue))) { Choice(rawValue: $0) }
    }

    /// `true` or `false`; the other spellings of YAML 1.1 are refused.
    func flag() -> Bool? {
        value(expected: "true or false") { ["true": true, "false": false][$0] }
    }

    /// A whole number in decimal digits within `range`.
    func number(in range: ClosedRange<Int>) -> Int? {
        value(expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            DecimalText.number(text).flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A number of bytes within `range`.
    func size(in range: ClosedRange<UInt64>) -> UInt64? {
        guard let size = value(expected: "a size such as 8KiB, 1MiB or 4096", SizeText.bytes) else { return nil }
        guard range.contains(size) else {
            refuse("the size is out of range; write one from \(range.lowerBound) to \(range.upperBound) bytes")
            return nil
        }
        return size
    }

    /// A length of time within `range`.
    func duration(in range: ClosedRange<Interval>) -> Interval? {
        guard let interval = value(expected: "a duration such as 250ms, 30s, 5m or 1h", DurationText.interval)
        else { return nil }
        guard range.contains(interval) else {
            let bounds = "\(DurationText.text(range.lowerBound)) to \(DurationText.text(range.upperBound))"
            refuse("the duration is out of range; write one from \(bounds)")
            return nil
        }
        return interval
    }

    /// The items of a list; an empty one is returned as it is.
    func items() -> [DocumentReader]? {
        guard case .sequence(let nodes) = node.content else {
            refuse("this is not a list; write [a, b], or one item a line after a dash")
            return nil
        }
        return nodes.enumerated().map { index, item in
            DocumentReader(node: item, path: "\(path)[\(index)]", line: item.line, faults: faults)
        }
    }

    /// The items of a list that must not be empty; `wanted` completes "write at least one …".
    func items(atLeastOne wanted: String) -> [DocumentReader]? {
        guard let items = items() else { return nil }
        guard !items.isEmpty else {
            refuse("the list is empty; write at least one \(wanted)")
            return nil
        }
        return items
    }

    /// A list without repetitions, each item read by `read`; nothing where any item is wrong.
    func distinct<Value: Hashable>(
        atLeastOne wanted: String, _ read: (DocumentReader) -> Value?
    ) -> [Value]? {
        guard let items = items(atLeastOne: wanted) else { return nil }
        var values: [Value] = []
        var seen: Set<Value> = []
        for item in items {
            guard let value = read(item) else { continue }
            if seen.insert(value).inserted {
                values.append(value)
            } else {
                item.refuse("the list names this already; keep one")
            }
        }
        return values.count == items.count ? values : nil
    }

    /// The value as a mapping that may hold only `keys`; unknown ones are noted as faults.
    func section(_ keys: [String]) -> SectionReader? {
        guard case .mapping(let entries) = node.content else {
            refuse("keys are wanted here; write \(Self.alternatives(keys)) with a colon and a value")
            return nil
        }
        let section = SectionReader(entries: entries, path: path, line: line, faults: faults)
        section.refuseUnknown(keys)
        return section
    }

    /// `a, b or c`.
    static func alternatives(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }

    /// The text in quotes, cut where it is long and without control characters.
    static func quoted(_ text: String) -> String {
        let printable = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) }
        return printable.count > 80 ? "\"\(String(printable.prefix(80)))…\"" : "\"\(String(printable))\""
    }
}
