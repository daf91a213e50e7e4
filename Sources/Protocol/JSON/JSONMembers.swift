/// A member of an object.
public struct JSONMember: ~Escapable {
    /// The name, unescaped.
    public let name: Span<UInt8>
    /// The value.
    public let value: JSONValue

    @_lifetime(copy name, copy value)
    init(name: Span<UInt8>, value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// The members of an object, one after the other.
public struct JSONMembers: ~Escapable {
    private let object: JSONValue
    private var index: Int
    private let end: Int

    @_lifetime(copy object)
    init(of object: JSONValue) {
        self.object = object
        index = object.index + 1
        end = object.kind == .object ? Int(object.nodes[object.index].link) : index
    }

    /// The next member, or nothing at the end.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> JSONMember? {
        guard index < end else { return nil }
        let nodes = object.nodes
        let name = object.bytes.extracting(nodes[index].textRange)
        let value = JSONValue(bytes: object.bytes, nodes: nodes, index: index + 1)
        index = Int(nodes[index + 1].link)
        return JSONMember(name: name, value: value)
    }
}
