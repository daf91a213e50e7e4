/// One token by what makes it unique: its identifier is its issuer's own.
public struct RevokedToken: Hashable, Sendable {
    /// The issuer (`iss`).
    public let issuer: String
    /// The token's identifier (`jti`).
    public let tokenID: String

    /// Names a token.
    public init(issuer: String, tokenID: String) {
        self.issuer = issuer
        self.tokenID = tokenID
    }
}
