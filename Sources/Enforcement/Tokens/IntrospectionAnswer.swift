import Bytes
import JSON

/// What an issuer says of a token that it was asked about (RFC 7662 §2.2).
enum IntrospectionAnswer {
    /// Reads the claims out of an answer, by the rules that hold for the claims of a JWT access token.
    ///
    /// The standard asks for nothing but `active`; we ask for `sub`, `aud` and `exp` too, since a decision rests on them.
    ///
    /// - Throws: `introspectionAnswer` where it is no such answer, `inactive` where the issuer says no.
    static func claims(_ body: Span<UInt8>, of origin: TokenOrigin) throws(TokenRejection) -> TokenClaims {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(body)
        } catch {
            throw .introspectionAnswer
        }
        let answer = document.root
        guard let isActive = answer.member("active")?.bool else { throw .introspectionAnswer }
        guard isActive else { throw .inactive }
        try checkIssuer(answer, origin)
        guard isOfAccessToken(answer) else { throw .type }
        let reader = ClaimReader(answer)
        let claims = try reader.claims(of: origin, requiring: [.audience], actors: try reader.actors())
        try reader.refuseRecords()
        try reader.refuseDerivation()
        return claims
    }

    private static func checkIssuer(_ answer: JSONValue, _ origin: TokenOrigin) throws(TokenRejection) {
        guard let name = answer.member("iss") else { return }
        guard name.kind == .string else { throw .invalid(.issuer) }
        guard name.equals(utf8: origin.issuer.issuer) else { throw .issuer }
    }

    /// Whether nothing says that it is of another kind: a refresh token is active too, and so is an ID token.
    ///
    /// `token_type` is the standard's; `token_use` and `typ` are what issuers say beside it.
    private static func isOfAccessToken(_ answer: JSONValue) -> Bool {
        isOneOf(answer.member("token_type"), ["Bearer", "DPoP"])
            && isOneOf(answer.member("token_use"), ["access_token", "access"])
            && isOneOf(answer.member("typ"), ["Bearer", "DPoP", "at+jwt", "application/at+jwt", "JWT"])
    }

    private static func isOneOf(_ value: JSONValue?, _ names: [StaticString]) -> Bool {
        guard let value else { return true }
        guard let text = value.text else { return false }
        for name in names where text.equalsIgnoringCase(name) { return true }
        return false
    }
}
