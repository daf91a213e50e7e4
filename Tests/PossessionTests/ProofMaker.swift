import Bytes
import Cryptography

@testable import Possession

/// A client that signs whatever proof it is asked to, and the call that its proofs are for.
struct ProofMaker {
    static let now = UnixTime(seconds: 1_800_000_000)
    static let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    static let path = "/orders/17"
    static let origins = ["https://api.example.test", "https://localhost:8443"].compactMap(TargetOrigin.init)
    static let policy = DPoPPolicy(
        algorithms: [.es256, .ed25519, .edDSA, .ps256, .rs256, .es384, .es512], acceptWindow: .seconds(60),
        futureSkew: .seconds(10))

    /// The claims of a proof that every rule allows, as JSON, for a test to change.
    static let claims: [String: String] = [
        "jti": #""p-1""#, "htm": #""GET""#, "htu": #""https://api.example.test/orders/17""#, "iat": "1800000000",
        "ath": #""fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo""#,
    ]

    let key: PrivateKey
    let algorithm: SignatureAlgorithm

    private static let keys = Result {
        (
            try PrivateKey.generate(.ellipticCurve(.p256)), try PrivateKey.generate(.ellipticCurve(.p256)),
            try PrivateKey.generate(.ed25519), try PrivateKey.generate(.rsa(bits: 2048))
        )
    }

    static func standard() throws -> ProofMaker { ProofMaker(key: try keys.get().0, algorithm: .es256) }
    static func other() throws -> ProofMaker { ProofMaker(key: try keys.get().1, algorithm: .es256) }
    static func ed25519() throws -> ProofMaker { ProofMaker(key: try keys.get().2, algorithm: .ed25519) }
    static func rsa() throws -> ProofMaker { ProofMaker(key: try keys.get().3, algorithm: .ps256) }

    /// The members of the key's `jwk`, as JSON.
    var jwk: [String: String] {
        var members: [String: String] = [:]
        for pair in key.publicJWK(keyID: nil, algorithm: nil).dropFirst().dropLast().split(separator: ",") {
            let parts = pair.split(separator: ":")
            members[String(parts[0].dropFirst().dropLast())] = String(parts[1])
        }
        members["use"] = nil
        return members
    }

    /// A proof with some claims, header and `jwk` members changed, added, or (where nil) left out.
    func proof(
        _ changed: [String: String?] = [:], header changedHeader: [String: String?] = [:],
        jwk changedJWK: [String: String?] = [:]
    ) throws -> [UInt8] {
        let header = [
            "alg": "\"\(algorithm.rawValue)\"", "typ": #""dpop+jwt""#, "jwk": Self.json(jwk, changedJWK),
        ]
        return try sign(header: Self.json(header, changedHeader), payload: Self.json(Self.claims, changed))
    }

    func sign(header: String, payload: String) throws -> [UInt8] {
        let input = Base64URL.encode(header.utf8.span) + "." + Base64URL.encode(payload.utf8.span)
        let signature = try key.sign(input.utf8.span, with: algorithm)
        return Array((input + "." + Base64URL.encode(signature.span)).utf8)
    }

    static func json(_ members: [String: String], _ changed: [String: String?]) -> String {
        let all = members.merging(changed.compactMapValues { $0 }) { $1 }
            .filter { changed[$0.key] != .some(.none) }
        return "{" + all.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}"
    }
}

/// How a test's request differs from the one that proofs are for by default.
struct Call {
    var method = "GET"
    var path = ProofMaker.path
    var token = ProofMaker.token
    var boundKey: Digest256?
    var policy = ProofMaker.policy
    var now = ProofMaker.now
    var origins = ProofMaker.origins
}

/// What is left of a verified proof when its evidence is gone.
struct ProofFacts: Equatable {
    var keyThumbprint: Digest256
    var identifier: Digest256
    var issuedAt: UnixTime
    var expiresAt: UnixTime
    var nonce: [UInt8]?
}

/// What a verifier makes of a proof for a call with a token that is bound to the maker's key, unless the call says otherwise.
func verdict(
    _ proof: [UInt8], by maker: ProofMaker? = nil, _ call: Call = Call(), verifier: DPoPVerifier? = nil
) throws -> Result<ProofFacts, DPoPRejection> {
    let verifier = try verifier ?? DPoPVerifier(engine: try CryptographicEngine())
    let boundKey = try call.boundKey ?? (maker ?? ProofMaker.standard()).key.publicKey.thumbprint
    let expectation = DPoPExpectation(
        method: call.method.utf8.span, origins: call.origins, path: call.path.utf8.span,
        token: call.token.utf8.span, boundKey: boundKey)
    do throws(DPoPRejection) {
        let proof = try verifier.verify(proof.span, for: expectation, under: call.policy, now: call.now)
        return .success(
            ProofFacts(
                keyThumbprint: proof.keyThumbprint, identifier: proof.identifier, issuedAt: proof.issuedAt,
                expiresAt: proof.expiresAt, nonce: proof.nonce))
    } catch {
        return .failure(error)
    }
}

extension Result where Success == ProofFacts, Failure == DPoPRejection {
    var isAccepted: Bool { rejection == nil }

    var rejection: DPoPRejection? {
        if case .failure(let rejection) = self { return rejection }
        return nil
    }
}

/// The bytes that a text of base64url stands for.
func decoded(_ text: String) -> [UInt8]? { Base64URL.decode(text.utf8.span) }
