public import Revocation

/// A revocation as the store keeps it.
public struct StoredRevocation: Equatable, Sendable {
    /// What it is known by as long as it is there: of URL-safe characters, and of no other meaning.
    public let id: String
    /// The revocation.
    public let revocation: Revocation

    /// Makes one.
    init(number: Int64, revocation: Revocation) {
        id = "r\(number)"
        self.revocation = revocation
    }

    /// The number that makes an identifier, if it is written as ours are.
    static func number(of id: String) -> Int64? {
        guard id.hasPrefix("r"), let number = Int64(id.dropFirst()), number > 0, "r\(number)" == id else { return nil }
        return number
    }
}
