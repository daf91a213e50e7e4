public import Bytes
import Tokens

/// Where a token's status stands: a place in a list that its issuer publishes.
public struct StatusReference: Equatable, Sendable {
    /// The address of the list.
    public let uri: String
    /// The place in it.
    public let index: Int

    /// Names a place.
    public init(uri: String, index: Int) {
        self.uri = uri
        self.index = index
    }
}

extension TokenClaims {
    /// Where its status stands, where the token says so.
    var statusReference: StatusReference? { nil }
}

/// What a status list says of a token.
public enum StatusVerdict: Equatable, Sendable {
    /// It is valid.
    case valid
    /// It is not: the status.
    case status(UInt8)
    /// The list is not known yet.
    case unknown(String)
    /// Nobody asks for the status of that issuer's tokens.
    case notListed
    /// The list has no such place.
    case outOfRange
    /// The list is none of those that the issuer's tokens may name.
    case foreign
}

/// The status lists that are known.
public struct StatusListTable: Sendable {
    /// None.
    public static let none = StatusListTable()

    /// Whether no issuer's tokens have a status.
    public var isEmpty: Bool { true }

    /// What the lists say.
    public func status(of reference: StatusReference, issuer: String, now: UnixTime) -> StatusVerdict { .notListed }
}
