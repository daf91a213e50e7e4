public import Bytes

/// What an answer says before its content.
public struct ResponseHead: ~Copyable {
    /// The status code, 100 to 599.
    public var status: UInt16 = 0
    /// How the end of the content is found; in the answer to HEAD and in a 304, what the content would have.
    public var framing = BodyFraming.none
    /// The field lines.
    public var fields = FieldTable()
    /// The protocol that a 101 (Switching Protocols) changes to, in lower case; else empty.
    public var upgrade = ByteQueue()

    /// Makes an empty head for a machine to fill.
    public init() {}

    /// Empties the head and keeps its memory.
    public mutating func removeAll() {
        status = 0
        framing = .none
        fields.removeAll()
        upgrade.removeAll()
    }
}
