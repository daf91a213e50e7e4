import Bytes
import Cryptography
import Delegation

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
        try payload.refuseActors()
        try payload.refuseDerivation()
        let chain: AgentWritChain
        do throws(LineageFault) {
            chain = try AgentWritChain(
                payload.value(.delegationChain), hash: payload.value(.chainHash), engine: origin.engine)
        } catch {
            throw .lineage(error)
        }
        let claims = try payload.claims(
            of: origin, requiring: [.tokenID, .issuedAt, .audience], lineage: chain.lineage)
        try verify(chain, of: claims, from: origin)
        return claims
    }

    /// Judges the chain, now that the token's own claims are known to be good.
    private static func verify(
        _ chain: AgentWritChain, of claims: TokenClaims, from origin: TokenOrigin
    ) throws(TokenRejection) {
        guard let issuedAt = claims.issuedAt else { throw .missing(.issuedAt) }
        let token = DelegatedToken(
            holder: claims.subject, scopes: claims.scopes, issuedAt: issuedAt, expiresAt: claims.expiresAt,
            longestLifetime: origin.issuer.maximumTokenLifetime, leeway: origin.issuer.clockLeeway)
        do throws(LineageFault) {
            try chain.verify(token, keys: keys(of: origin), engine: origin.engine)
        } catch {
            throw .lineage(error)
        }
    }

    /// The broker's keys that can have signed a record: first the one that signed the token, which mostly did.
    private static func keys(of origin: TokenOrigin) -> [PublicKey] {
        let keys = origin.issuer.keys.keys.map(\.publicKey).filter { $0.accepts(.ed25519) }
        return keys.filter { $0.thumbprint == origin.signingKey } + keys.filter { $0.thumbprint != origin.signingKey }
    }
}
