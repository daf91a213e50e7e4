import JSON
import Synchronization

/// All issuers that are believed at one time: an immutable snapshot.
public final class IssuerTable: Sendable {
    /// The issuers, in the order of the configuration; of two of one name only the first is found.
    public let issuers: [TokenIssuer]
    /// A number that no other table of this process bears: what was verified by another table is verified anew.
    public let generation: UInt64

    private static let tables = Atomic<UInt64>(0)

    /// Makes a table.
    public init(_ issuers: [TokenIssuer]) {
        self.issuers = issuers
        generation = Self.tables.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// The index of the issuer that `claim` names exactly.
    func index(of claim: JSONValue) -> Int? {
        for index in issuers.indices where claim.equals(utf8: issuers[index].issuer) { return index }
        return nil
    }
}
