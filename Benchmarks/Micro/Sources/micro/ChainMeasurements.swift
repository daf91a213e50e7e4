import Bytes
import Cryptography
import Tokens

extension Measurement {
    /// An AgentWrit token that is met for the first time, passed on by so many agents or by nobody.
    static func chain(of counts: [Int], _ credentials: Credentials, engine: CryptographicEngine) throws -> [Measurement]
    {
        let issuers = try credentials.agentWritIssuers()
        return try counts.map { count in
            let token = try credentials.agentWritToken(links: count, engine: engine)
            let verifier = TokenVerifier(engine: engine, cacheCapacity: 0)
            return .repeated("token, chain of \(count)", beside: "OpenSSL, Ed25519", times: 100) { _ in
                _ = try verifier.verify(
                    token.span, among: issuers, subjectsWithin: ["example.test"], now: Credentials.now)
            }
        }
    }
}

extension Credentials {
    fileprivate func agentWritIssuers() throws -> IssuerTable {
        let keys = try KeySet(jwks: #"{"keys":[\#(key.publicJWK(keyID: nil, algorithm: nil))]}"#.utf8.span)
        let issuer = TokenIssuer(
            issuer: "https://broker.example.test", profile: .agentwrit, audiences: ["https://api.example.test"],
            algorithms: [.ed25519], clockLeeway: .zero, maximumTokenLifetime: .seconds(3600), claimNames: .standard,
            trustDomains: nil, keys: keys)
        return IssuerTable([issuer])
    }

    /// A token as the broker writes it, with a record of each who passed it on.
    fileprivate func agentWritToken(links: Int, engine: CryptographicEngine) throws -> [UInt8] {
        let records = try (0..<links).map { link in
            let agent = "spiffe://example.test/agent/orch-1/task-1/000000000000000\(link)"
            let text = "\(agent)|read:orders:*|2027-01-15T07:5\(link):00.123456789Z"
            let signature = try key.sign(text.utf8.span, with: .ed25519)
            return #"{"agent":"\#(agent)","scope":["read:orders:*"],"#
                + #""delegated_at":"2027-01-15T07:5\#(link):00.123456789Z","#
                + #""signature":"\#(Hexadecimal.encode(signature.span))"}"#
        }
        let chain = "[" + records.joined(separator: ",") + "]"
        return try sign(
            header: #"{"alg":"Ed25519","typ":"JWT"}"#,
            payload: #"""
                {"iss":"https://broker.example.test","sub":"spiffe://example.test/agent/orch-1/task-1/00000000000000ff",\#
                "aud":["https://api.example.test"],"exp":1800000300,"nbf":1800000000,"iat":1800000000,"jti":"00ff",\#
                "scope":["read:orders:17"],"task_id":"task-1","orch_id":"orch-1","delegation_chain":\#(chain),\#
                "chain_hash":"\#(engine.sha256(chain.utf8.span).hexadecimal)"}
                """#)
    }
}
