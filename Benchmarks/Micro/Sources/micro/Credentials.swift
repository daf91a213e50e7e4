import Bytes
import Cryptography
import Possession
import Tokens

/// Tokens and proofs as an issuer and a client make them.
struct Credentials {
    static let now = UnixTime(seconds: 1_800_000_000)

    let key: PrivateKey
    let algorithm: SignatureAlgorithm

    init(_ algorithm: SignatureAlgorithm) throws {
        self.algorithm = algorithm
        let kind: PrivateKey.Kind =
            switch algorithm {
            case .es256: .ellipticCurve(.p256)
            case .ps256: .rsa(bits: 2048)
            default: .ed25519
            }
        key = try PrivateKey.generate(kind)
    }

    /// The issuer whose key this is, alone.
    func issuers() throws -> IssuerTable {
        let keys = try KeySet(jwks: #"{"keys":[\#(key.publicJWK(keyID: "key-1", algorithm: algorithm))]}"#.utf8.span)
        let issuer = TokenIssuer(
            issuer: "https://broker.example.test", profile: .oauth, audiences: ["https://api.example.test"],
            algorithms: [algorithm], clockLeeway: .seconds(30), maximumTokenLifetime: .seconds(3600),
            claimNames: .standard, trustDomains: nil, keys: keys)
        return IssuerTable([issuer])
    }

    /// An access token such as agents have: bound to a certificate, with two scopes.
    func token(_ number: Int = 0) throws -> [UInt8] {
        try sign(
            header: #"{"alg":"\#(algorithm.rawValue)","typ":"at+jwt","kid":"key-1"}"#,
            payload: #"""
                {"iss":"https://broker.example.test","aud":"https://api.example.test","exp":1800000300,"iat":1800000000,\#
                "sub":"spiffe://example.test/agent/orch-1/task-\#(number)/0011223344556677","client_id":"agents",\#
                "jti":"4f8e1c2a-\#(number)","scope":"orders:read:17 orders:write:17","task_id":"task-\#(number)",\#
                "orchestration_id":"orch-1","cnf":{"x5t#S256":"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}}
                """#)
    }

    /// A DPoP proof for a call with a token.
    func proof(for token: [UInt8], engine: CryptographicEngine) throws -> [UInt8] {
        var jwk = key.publicJWK(keyID: nil, algorithm: nil)
        // Clients leave out what is no part of the key.
        if let end = jwk.range(of: #","use":"sig""#) { jwk.removeSubrange(end) }
        return try sign(
            header: #"{"typ":"dpop+jwt","alg":"\#(algorithm.rawValue)","jwk":\#(jwk)}"#,
            payload: #"""
                {"jti":"e1j3V_bKic8-LAEB","htm":"GET","htu":"https://api.example.test/orders/17","iat":1800000000,\#
                "ath":"\#(engine.sha256(token.span).base64URL)"}
                """#)
    }

    func sign(header: String, payload: String) throws -> [UInt8] {
        let input = Base64URL.encode(header.utf8.span) + "." + Base64URL.encode(payload.utf8.span)
        let signature = try key.sign(input.utf8.span, with: algorithm)
        return Array((input + "." + Base64URL.encode(signature.span)).utf8)
    }
}

extension String {
    /// Where `text` stands, the first time.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
