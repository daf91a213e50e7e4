/// A mapping of a document: hands out readers of its values by key.
struct SectionReader {
    let entries: [DocumentNode.Entry]
    let path: String
    let line: Int
    let faults: FaultCollector

    /// A reader of the value of `key`, or nothing where the key is absent.
    func optional(_ key: String) -> DocumentReader? {
        guard let entry = entries.first(where: { $0.key == key }) else { return nil }
        return reader(of: entry)
    }

    /// A reader of the value of `key`, or nothing where the key is absent, which is a fault.
    ///
    /// - Parameter purpose: completes "write …".
    func required(_ key: String, _ purpose: String) -> DocumentReader? {
        if let reader = optional(key) { return reader }
        faults.refuse(line: line, keyPath: keyPath(key), "the key is missing; write \(purpose)")
        return nil
    }

    /// The way to a key of this section.
    func keyPath(_ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    /// Notes that the section as a whole is wrong.
    func refuse(_ message: String) {
        faults.refuse(line: line, keyPath: path, message)
    }

    /// Notes a fault for each key that is not one of `keys`.
    func refuseUnknown(_ keys: [String]) {
        for entry in entries where !keys.contains(entry.key) {
            faults.refuse(line: entry.line, keyPath: keyPath(entry.key), Self.sentence(unknown: entry.key, keys))
        }
    }

    private func reader(of entry: DocumentNode.Entry) -> DocumentReader {
        let isScalar = if case .scalar = entry.value.content { true } else { false }
        return DocumentReader(
            node: entry.value, path: keyPath(entry.key), line: isScalar ? entry.value.line : entry.line, faults: faults)
    }

    private static func sentence(unknown key: String, _ keys: [String]) -> String {
        if key == "<<" { return "merge keys are not allowed; write the keys out" }
        guard let nearest = NearestName.of(key, among: keys) else {
            return "there is no such key; remove it, or use \(DocumentReader.alternatives(keys))"
        }
        return "there is no such key; did you mean \(nearest)?"
    }
}
