/// One value, or one member's name, on a document's tape.
///
/// The tape lists values in the order in which they begin. The children of a container follow it; an object's are pairs
/// of nodes, a name and a value.
struct JSONNode: Sendable {
    var kind: JSONKind
    /// The offset of the first byte as written; of a string, its opening quote.
    var start: UInt32
    /// The number of bytes as written.
    var count: UInt32
    /// Of a string: the offset of its text without quotes and escapes.
    var textStart: UInt32
    /// Of a string: the number of bytes of its text; of a container: the number of elements or members.
    var textCount: UInt32
    /// The tape's index behind the value and all it holds.
    ///
    /// Of a container still open: its parent's index plus one, or 0. Of a name, whose value is always next: a digest of
    /// its text, so that unlike names are told apart at a glance.
    var link: UInt32

    var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
    var textRange: Range<Int> { Int(textStart)..<Int(textStart) + Int(textCount) }
}
