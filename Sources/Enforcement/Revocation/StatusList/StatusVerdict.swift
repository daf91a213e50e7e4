/// What the status lists say of a token.
public enum StatusVerdict: Equatable, Sendable {
    /// The issuer has lists, and the one that the token names is none of those that the gateway may fetch.
    case foreign
    /// Nobody configured lists of the token's issuer: its claim says nothing to us.
    case notListed
    /// The list has no such place.
    case outOfRange
    /// The list, of the feed of that name, is too old, has expired, or could never be fetched.
    case stale(feed: String)
    /// The token is not valid: its status is that, which is not 0.
    case status(UInt8)
    /// The list of that URI was not fetched yet: whoever wants to know must ask for it.
    case unknown(String)
    /// The token is valid.
    case valid
}
