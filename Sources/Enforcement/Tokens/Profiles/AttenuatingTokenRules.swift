/// Attenuating agent tokens (draft-niyikiza-oauth-attenuating-agent-tokens-02): here one that its issuer gave to who presents
/// it; ``AttenuatingChain`` has the rules of those that were passed on.
enum AttenuatingTokenRules: TokenRules {
    static let type: StaticString = "aat+jwt"

    static func claims(_ payload: ClaimReader, of origin: TokenOrigin) throws(TokenRejection) -> TokenClaims {
        try AttenuatingChain(payload, of: origin).claims()
    }
}
