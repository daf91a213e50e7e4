import Bytes
import Cryptography
import Tokens

/// An issuer of a trial set-up.
enum TrialIssuer: String, CaseIterable {
    /// Of access tokens (RFC 9068).
    case broker
    /// Of Workload Identity Tokens (draft-ietf-wimse-workload-creds).
    case workloads
    /// Of tokens such as an AgentWrit broker writes.
    case agentwrit

    /// The rules of its tokens.
    var profile: TokenProfile {
        switch self {
        case .broker: .oauth
        case .workloads: .wimse
        case .agentwrit: .agentwrit
        }
    }

    /// What it signs with.
    var algorithm: SignatureAlgorithm { self == .agentwrit ? .edDSA : .es256 }

    /// What sort of key that takes.
    var keyKind: PrivateKey.Kind { self == .agentwrit ? .ed25519 : .ellipticCurve(.p256) }

    /// The name of the file with its key.
    var keyFile: String { "\(rawValue).key" }

    /// The name of the file with its JWK set.
    var keySetFile: String { "\(rawValue).jwks.json" }

    /// Its name: the `iss` of its tokens.
    func name(in trustDomain: String) -> String { "https://\(rawValue).\(trustDomain)" }

    /// The JWK set of its one key, named by its thumbprint (RFC 7638).
    func keySet(of key: PrivateKey) -> String {
        "{\"keys\":[\(key.publicJWK(keyID: key.publicKey.thumbprint.base64URL, algorithm: algorithm))]}\n"
    }
}
