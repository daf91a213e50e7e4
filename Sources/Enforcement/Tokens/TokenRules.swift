import Bytes
import Cryptography

/// The rules of one kind of token: a profile is one type that conforms, named in ``TokenProfile/rules``.
///
/// The rules of any two kinds exclude each other (RFC 8725 §3.12): by `typ`, and because an issuer issues one kind only.
protocol TokenRules {
    /// What `typ` must say.
    static var type: StaticString { get }

    /// The key that must have signed; nothing where the issuer is not known to have it.
    static func key(for header: JOSEHeader, of issuer: TokenIssuer) throws(JWSError) -> VerificationKey?

    /// Reads the claims of a token whose signature is verified, by every rule that neither the time nor the listener changes.
    static func claims(_ payload: ClaimReader, of origin: TokenOrigin) throws(TokenRejection) -> TokenClaims
}

extension TokenRules {
    static func key(for header: JOSEHeader, of issuer: TokenIssuer) throws(JWSError) -> VerificationKey? {
        try issuer.keys.knownKey(for: header, among: issuer.algorithms)
    }
}

extension TokenProfile {
    /// The rules that the tokens of the profile follow.
    var rules: any TokenRules.Type {
        switch self {
        case .oauth: OAuthRules.self
        case .agentwrit: AgentWritRules.self
        case .aat: AttenuatingTokenRules.self
        case .wimse: WIMSERules.self
        case .witSVID: WITSVIDRules.self
        }
    }
}

/// Where a token comes from: whose it is, and how we know.
struct TokenOrigin {
    let issuer: TokenIssuer
    /// The issuer's place in the table.
    let index: Int
    /// The key that signed it; nothing where the issuer was asked.
    let signingKey: Digest256?
    /// The thread's.
    let engine: CryptographicEngine
    /// When it is looked at for the first time.
    let now: UnixTime
}
