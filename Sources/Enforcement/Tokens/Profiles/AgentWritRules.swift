import Bytes
import Cryptography

/// Access tokens of an AgentWrit broker: `typ` is `JWT`, `kid` the thumbprint of the broker's key, and the chain is bound
/// by its hash.
enum AgentWritRules: TokenRules {
    static let type: StaticString = "JWT"

    /// A `kid` must be the thumbprint of the key that verifies (RFC 7638), whatever the key is called in its set.
    static func key(for header: JOSEHeader, of issuer: TokenIssuer) throws(JWSError) -> VerificationKey? {
        guard let keyID = header.keyID else {
            return try issuer.keys.knownKey(for: header, among: issuer.algorithms)
        }
        guard issuer.algorithms.contains(header.algorithm) else { throw .algorithm }
        guard let thumbprint = Digest256(base64URL: keyID.utf8.span) else { throw .key }
        guard let key = issuer.keys.keys.first(where: { $0.publicKey.thumbprint == thumbprint }) else { return nil }
        guard key.serves(header.algorithm, among: issuer.algorithms) else { throw .keyAlgorithm }
        return key
    }

    static func claims(_ payload: ClaimReader, of origin: TokenOrigin) throws(TokenRejection) -> TokenClaims {
        let claims = try read(payload, of: origin)
        guard claims.delegation.isEmpty else { throw .delegationUnsupported }
        return claims
    }

    /// Reads the claims with the chain, whose links nobody has judged.
    static func read(_ payload: ClaimReader, of origin: TokenOrigin) throws(TokenRejection) -> TokenClaims {
        try payload.refuseForeignDelegation()
        return try payload.claims(
            of: origin, requiring: [.tokenID, .issuedAt, .audience],
            delegation: try DelegationReader(payload, engine: origin.engine).records())
    }
}
