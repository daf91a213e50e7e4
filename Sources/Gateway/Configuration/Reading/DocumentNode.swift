/// A configuration document as written: scalars are text, and everything knows its line.
///
/// YAML's own reading of scalars is not used, since YAML 1.1 makes a boolean of `off` and a number of `1.3`.
struct DocumentNode: Equatable, Sendable {
    /// The line where the node begins, counted from 1.
    let line: Int
    /// What stands there.
    let content: Content
    /// Whether it is text between quotes; only claims ask for that.
    var isQuoted = false

    /// The three shapes of a node, and its absence.
    enum Content: Equatable, Sendable {
        /// Nothing, `~` or `null`.
        case nothing
        /// Text, quoted or not.
        case scalar(String)
        case sequence([DocumentNode])
        case mapping([Entry])
    }

    /// One key of a mapping with its value; keys of one mapping are all different.
    struct Entry: Equatable, Sendable {
        let key: String
        /// The line of the key.
        let line: Int
        let value: DocumentNode
    }

    /// The entry of that key, or nothing where the node is not a mapping or has no such key.
    func entry(_ key: String) -> Entry? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }
    }
}
