import Bytes
import Cryptography
import JSON

extension ClaimReader {
    /// Reads `cnf` (RFC 7800 §3.1).
    ///
    /// Members that we do not know are ignored, as the standard says; but where we know none, nobody can confirm.
    func confirmations() throws(TokenRejection) -> Confirmations {
        guard let value = value(.confirmation) else { return .none }
        guard value.kind == .object else { throw .invalid(.confirmation) }
        let certificate = try Self.digest(value.member("x5t#S256"))
        let key = try Self.digest(value.member("jkt"))
        var publicKey: BoundKey?
        if let jwk = value.member("jwk") { publicKey = try Self.boundKey(jwk) }
        var demandsUnsupported = certificate == nil && key == nil && publicKey == nil
        for name in ["jwe", "jku", "kid", "osc", "x5t"] where value.member(named: name) != nil {
            demandsUnsupported = true
        }
        return Confirmations(
            certificate: certificate, key: key, publicKey: publicKey, demandsUnsupported: demandsUnsupported,
            isPresent: true)
    }

    /// Exactly 43 characters of canonical base64url; hexadecimal, padding and SHA-1 are refused.
    private static func digest(_ value: JSONValue?) throws(TokenRejection) -> Digest256? {
        guard let value else { return nil }
        guard let text = value.text, let digest = Digest256(base64URL: text) else { throw .invalid(.confirmation) }
        return digest
    }

    /// A public, asymmetric key for signatures; its `alg`, where there is one, must be a signature's that fits it.
    private static func boundKey(_ jwk: JSONValue) throws(TokenRejection) -> BoundKey {
        guard jwk.kind == .object else { throw .invalid(.confirmation) }
        let publicKey: PublicKey
        do throws(JSONWebKeyError) {
            publicKey = try JSONWebKey.publicKey(jwk)
            guard try JSONWebKey.isForVerification(jwk) else { throw .unsupported }
        } catch {
            throw .invalid(.confirmation)
        }
        guard let name = jwk.member("alg") else { return BoundKey(publicKey: publicKey, algorithm: nil) }
        guard let text = name.text, let algorithm = SignatureAlgorithm(joseName: text), publicKey.accepts(algorithm)
        else { throw .invalid(.confirmation) }
        return BoundKey(publicKey: publicKey, algorithm: algorithm)
    }
}
