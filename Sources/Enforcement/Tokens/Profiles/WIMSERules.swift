import Bytes

/// Workload Identity Tokens (draft-ietf-wimse-workload-creds, section "The Workload Identity Token").
enum WIMSERules: TokenRules {
    static let type: StaticString = "wit+jwt"

    static func claims(_ payload: ClaimReader, of origin: TokenOrigin) throws(TokenRejection) -> TokenClaims {
        let claims = try payload.claims(of: origin, requiring: [], readingScopes: false)
        guard WorkloadIdentifier(claims.subject) != nil else { throw .invalid(.subject) }
        guard claims.confirmations.isPresent else { throw .missing(.confirmation) }
        guard !claims.confirmations.demandsUnsupported, claims.confirmations.publicKey?.algorithm != nil else {
            throw .invalid(.confirmation)
        }
        try payload.refuseActors()
        try payload.refuseRecords()
        try payload.refuseDerivation()
        return claims
    }
}
