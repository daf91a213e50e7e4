/// The names that things of one kind have taken: each may be taken once, and others may refer to them.
///
/// A name is taken as soon as it is read, so that a thing with a fault elsewhere is not also reported as unknown.
struct NameRegister {
    /// What the names are of, such as `route`.
    let kind: String
    private var lines: [String: Int] = [:]

    init(kind: String) {
        self.kind = kind
    }

    /// All names, in alphabetical order.
    var names: [String] { lines.keys.sorted() }

    /// Takes the name that `reader` reads; notes a fault where it was taken before.
    mutating func take(_ name: String, _ reader: DocumentReader) {
        if let line = lines[name] {
            reader.refuse("another \(kind) on line \(line) has this name; give each its own")
        } else {
            lines[name] = reader.line
        }
    }

    /// Whether `name` is taken; notes a fault where it is not.
    func knows(_ name: String, _ reader: DocumentReader) -> Bool {
        if lines[name] != nil { return true }
        let hint = NearestName.of(name, among: names).map { "; did you mean \($0)?" } ?? "; add it, or correct the name"
        reader.refuse("there is no \(kind) \(DocumentReader.quoted(name))\(hint)")
        return false
    }
}
