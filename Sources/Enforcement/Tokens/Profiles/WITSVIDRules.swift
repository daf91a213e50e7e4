import Bytes
import Cryptography

/// Workload Identity Tokens as SPIFFE profiles them (WIT-SVID): a narrower ``WIMSERules``.
enum WITSVIDRules: TokenRules {
    static let type: StaticString = WIMSERules.type

    /// What the token and its bearer may sign with: no EdDSA (WIT-SVID §2.1).
    static let algorithms: Set<SignatureAlgorithm> = [
        .es256, .es384, .es512, .ps256, .ps384, .ps512, .rs256, .rs384, .rs512,
    ]

    /// `kid` must be there.
    static func key(for header: JOSEHeader, of issuer: TokenIssuer) throws(JWSError) -> VerificationKey? {
        guard algorithms.contains(header.algorithm) else { throw .algorithm }
        guard header.keyID != nil else { throw .header }
        return try issuer.keys.knownKey(for: header, among: issuer.algorithms)
    }

    static func claims(_ payload: ClaimReader, of origin: TokenOrigin) throws(TokenRejection) -> TokenClaims {
        guard !payload.has(.audience) else { throw .invalid(.audience) }
        let claims = try WIMSERules.claims(payload, of: origin)
        guard claims.subjectID != nil else { throw .invalid(.subject) }
        guard let algorithm = claims.confirmations.publicKey?.algorithm, algorithms.contains(algorithm) else {
            throw .invalid(.confirmation)
        }
        return claims
    }
}
