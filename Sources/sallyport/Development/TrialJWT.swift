import Bytes
import Cryptography

/// A JWT that is to be signed (RFC 7519): of one of the trial's issuers, or a proof of an agent.
struct TrialJWT {
    /// The members of the header but `alg`, which comes with the signature.
    var header = JSONObjectText()
    /// The claims.
    var claims = JSONObjectText()

    /// The compact JWS (RFC 7515 §3.1).
    func signed(by key: PrivateKey, with algorithm: SignatureAlgorithm) throws -> String {
        var header = header
        header.set("alg", algorithm.rawValue)
        let input = "\(Base64URL.encode(header.text.utf8.span)).\(Base64URL.encode(claims.text.utf8.span))"
        let signature = try key.sign(input.utf8.span, with: algorithm)
        return "\(input).\(Base64URL.encode(signature.span))"
    }
}
