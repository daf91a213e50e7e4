/// The elements of an array, one after the other.
public struct JSONElements: ~Escapable {
    private let array: JSONValue
    private var index: Int
    private let end: Int

    @_lifetime(copy array)
    init(of array: JSONValue) {
        self.array = array
        index = array.index + 1
        end = array.kind == .array ? Int(array.nodes[array.index].link) : index
    }

    /// The next element, or nothing at the end.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> JSONValue? {
        guard index < end else { return nil }
        let element = JSONValue(bytes: array.bytes, nodes: array.nodes, index: index)
        index = Int(array.nodes[index].link)
        return element
    }
}
