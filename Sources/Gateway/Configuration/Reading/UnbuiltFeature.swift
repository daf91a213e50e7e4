/// A part of the schema that this version does not provide yet, and therefore refuses by name.
///
/// What a configuration asks for is either done or refused: a key that is read and ignored would leave a gateway that is
/// weaker than the one asked for. A feature that gets built loses its line in ``all``.
struct UnbuiltFeature {
    /// The way to the key or value, with `[]` for any item of a list.
    let path: String
    let condition: Condition

    /// What at that path asks for the feature.
    enum Condition: Equatable {
        /// The key, whatever its value.
        case present
        /// This value.
        case value(String)
    }

    /// Everything of the schema that is not built yet.
    static let all: [UnbuiltFeature] = [
        .init("possession.replay.store", .value("redis")),
        .init("audit.signing_key_file"),
        .init("audit.checkpoint_interval"),
    ]

    private init(_ path: String, _ condition: Condition = .present) {
        self.path = path
        self.condition = condition
    }

    /// Notes a fault for each use of an unbuilt feature in `document`.
    static func refuseAll(in document: DocumentNode, faults: FaultCollector) {
        let byPath = Dictionary(grouping: all, by: \.path)
        refuse(DocumentReader(document: document, faults: faults), pattern: "", byPath)
    }

    private static func refuse(_ reader: DocumentReader, pattern: String, _ byPath: [String: [UnbuiltFeature]]) {
        for feature in byPath[pattern] ?? [] where feature.condition.holds(for: reader.node) {
            reader.refuse(feature.condition.sentence)
            reader.faults.settle(reader.path)
        }
        switch reader.node.content {
        case .nothing, .scalar: break
        case .sequence:
            for item in reader.items() ?? [] { refuse(item, pattern: pattern + "[]", byPath) }
        case .mapping(let entries):
            let section = SectionReader(entries: entries, path: reader.path, line: reader.line, faults: reader.faults)
            for entry in entries {
                guard let value = section.optional(entry.key) else { continue }
                refuse(value, pattern: pattern.isEmpty ? entry.key : "\(pattern).\(entry.key)", byPath)
            }
        }
    }
}

extension UnbuiltFeature.Condition {
    fileprivate func holds(for node: DocumentNode) -> Bool {
        switch (self, node.content) {
        case (.present, _): true
        case (.value(let value), .scalar(let text)): text == value
        default: false
        }
    }

    fileprivate var sentence: String {
        switch self {
        case .present: "not built yet in this version; remove the key"
        case .value(let value): "\(value) is not built yet in this version; use another value"
        }
    }
}
