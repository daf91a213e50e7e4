import Bytes
import Cryptography
import Support
import Tokens

/// What a verifier that has seen nothing yet makes of a token: its claims, or why it is refused.
func verdict(
    _ token: [UInt8], _ issuers: IssuerTable, within trustDomains: [String]? = nil, at now: UnixTime = Broker.now
) throws -> Result<TokenClaims, TokenRejection> {
    verdict(
        TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8), token, issuers, within: trustDomains,
        at: now)
}

func verdict(
    _ verifier: TokenVerifier, _ token: [UInt8], _ issuers: IssuerTable, within trustDomains: [String]? = nil,
    at now: UnixTime = Broker.now
) -> Result<TokenClaims, TokenRejection> {
    do throws(TokenRejection) {
        return .success(
            try verifier.verify(token.span, among: issuers, subjectsWithin: trustDomains, now: now).claims)
    } catch {
        return .failure(error)
    }
}

extension Result where Failure == TokenRejection {
    var rejection: TokenRejection? {
        if case .failure(let rejection) = self { return rejection }
        return nil
    }
}

/// The key of an Ed25519 JWK's `x`.
func ed25519Key(_ x: String) throws -> PublicKey {
    let bytes = Base64URL.decode(x.utf8.span) ?? []
    return try PublicKey.ed25519(bytes.span)
}
