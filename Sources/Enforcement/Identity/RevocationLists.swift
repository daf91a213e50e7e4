/// The revocation lists of a whole gateway: immutable, published whole.
public struct RevocationLists: Sendable {
    private let tables: [String: RevocationListTable]

    /// No listener has lists.
    public static let none = RevocationLists([:])

    /// Makes them.
    ///
    /// - Parameter tables: what each listener judges by, by the listeners' names.
    public init(_ tables: [String: RevocationListTable]) {
        self.tables = tables
    }

    /// What a listener judges by.
    public subscript(listener name: String) -> RevocationListTable { tables[name] ?? .none }
}
