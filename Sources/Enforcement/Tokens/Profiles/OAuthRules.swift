/// JWT access tokens (RFC 9068 §2, §4).
enum OAuthRules: TokenRules {
    static let type: StaticString = "at+jwt"

    static func claims(_ payload: ClaimReader, of origin: TokenOrigin) throws(TokenRejection) -> TokenClaims {
        let claims = try payload.claims(
            of: origin, requiring: [.tokenID, .clientID, .issuedAt, .audience], actors: try payload.actors())
        try payload.refuseRecords()
        try payload.refuseDerivation()
        return claims
    }
}
