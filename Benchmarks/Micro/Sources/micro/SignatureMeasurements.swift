import Bytes
import Cryptography
import Possession
import Tokens

extension Measurement {
    /// A token that is known, among some hundred.
    static func cachedToken(_ credentials: Credentials, engine: CryptographicEngine) throws -> Measurement {
        let issuers = try credentials.issuers()
        let tokens = try (0..<256).map { try credentials.token($0) }
        let verifier = TokenVerifier(engine: engine, cacheCapacity: 4096)
        return .repeated("token, known", times: 20_000) { index in
            let token = tokens[index & 255]
            _ = try verifier.verify(token.span, among: issuers, subjectsWithin: ["example.test"], now: Credentials.now)
        }
    }

    /// A token that is met for the first time.
    static func token(_ credentials: Credentials, engine: CryptographicEngine) throws -> [Measurement] {
        let issuers = try credentials.issuers()
        let token = try credentials.token()
        let verifier = TokenVerifier(engine: engine, cacheCapacity: 0)
        let library = try signature(credentials, token, engine: engine)
        return [
            library,
            .repeated("token, \(credentials.algorithm.rawValue)", beside: library.name, times: 400) { _ in
                _ = try verifier.verify(
                    token.span, among: issuers, subjectsWithin: ["example.test"], now: Credentials.now)
            },
        ]
    }

    /// A proof by a key that is known, and by one that is met for the first time.
    static func proof(_ credentials: Credentials, engine: CryptographicEngine) throws -> [Measurement] {
        let token = try credentials.token()
        let proof = try credentials.proof(for: token, engine: engine)
        let origins = ["https://api.example.test"].compactMap(TargetOrigin.init)
        let policy = DPoPPolicy(
            algorithms: [.es256, .ed25519, .edDSA, .ps256, .rs256], acceptWindow: .seconds(60),
            futureSkew: .seconds(10))
        let (method, path) = (Array("GET".utf8), Array("/orders/17".utf8))
        let thumbprint = credentials.key.publicKey.thumbprint
        let name = "DPoP proof, \(credentials.algorithm.rawValue)"
        return [(name, 1024), (name + ", new key", 0)].map { name, keyCapacity in
            let verifier = DPoPVerifier(engine: engine, keyCapacity: keyCapacity)
            return .repeated(name, beside: signatureName(credentials), times: 400) { _ in
                let expectation = DPoPExpectation(
                    method: method.span, origins: origins, path: path.span, token: token.span, boundKey: thumbprint)
                _ = try verifier.verify(proof.span, for: expectation, under: policy, now: Credentials.now)
            }
        }
    }

    /// A nonce of the present stretch of time, and one of the stretch before.
    static func nonce(engine: CryptographicEngine) -> Measurement {
        let nonces = Nonces(key: Array(1...32), interval: .seconds(60), engine: engine)
        let old = Array(nonces.issue(at: Credentials.now - .seconds(60)).utf8)
        let new = Array(nonces.issue(at: Credentials.now).utf8)
        return .repeated("nonce", times: 200_000) { index in
            let verdict =
                index & 1 == 0
                ? nonces.check(old.span, at: Credentials.now) : nonces.check(new.span, at: Credentials.now)
            precondition(verdict == (index & 1 == 0 ? .validButRenew : .valid), "a nonce of ours is refused")
        }
    }

    private static func signatureName(_ credentials: Credentials) -> String {
        "OpenSSL, \(credentials.algorithm.rawValue)"
    }

    private static func signature(
        _ credentials: Credentials, _ message: [UInt8], engine: CryptographicEngine
    ) throws -> Measurement {
        let verification = try OpenSSLVerification(
            message, by: credentials.key, with: credentials.algorithm, engine: engine)
        return .repeated(signatureName(credentials), times: 400) { _ in verification.run() }
    }
}
