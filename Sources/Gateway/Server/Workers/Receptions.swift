/// The calls of one worker that bring a security event of which not all has come yet: each may hold some memory for as long as its
/// client likes.
struct Receptions {
    /// The most of them.
    static let limit = 32

    private var calls: Set<ObjectIdentifier> = []

    /// Takes a call in; false where there is no room.
    mutating func open(for call: AnyObject) -> Bool {
        guard calls.count < Self.limit else { return false }
        calls.insert(ObjectIdentifier(call))
        return true
    }

    /// Lets a call go, if it is one of them.
    mutating func close(for call: AnyObject) {
        calls.remove(ObjectIdentifier(call))
    }
}
