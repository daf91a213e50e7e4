import Bytes
import Cryptography
import Identity
import Testing

@testable import Revocation
@testable import Tokens

@Suite("A revocation snapshot")
struct RevocationSnapshotTests {
    private static let subject = "spiffe://example.test/agent/a"
    private static let certificate = digest(1)
    private static let bound = digest(2)
    private static let key = digest(3)
    private static let signer = digest(4)

    private static func digest(_ byte: UInt8) -> Digest256 {
        Digest256([UInt8](repeating: byte, count: 32).span) ?? .zero
    }

    private func claims(task: String? = "t", orchestration: String? = "o") throws -> TokenClaims {
        TokenClaims(
            issuer: "https://i", issuerIndex: 0, subject: Self.subject,
            subjectID: try SPIFFEID(Self.subject.utf8.span), tokenID: "j", clientID: nil,
            issuedAt: UnixTime(seconds: 1), expiresAt: UnixTime(seconds: 2), notBefore: nil, scopes: [],
            confirmations: Confirmations(
                certificate: Self.bound, key: Self.key, demandsUnsupported: false, isPresent: true),
            task: task, orchestration: orchestration, sponsor: nil, signingKey: Self.signer)
    }

    /// What a request by `other`'s certificate with the token is refused for.
    private func revoked(
        _ snapshot: RevocationSnapshot, task: String? = "t", orchestration: String? = "o",
        identity: String? = "spiffe://example.test/agent/b"
    ) throws -> RevokedCredential? {
        let claims = try claims(task: task, orchestration: orchestration)
        let identity = try identity.map { try SPIFFEID($0.utf8.span) }
        do throws(RevokedCredential) {
            try snapshot.check(claims, certificate: Self.certificate, identity: identity)
            return nil
        } catch {
            return error
        }
    }

    @Test("A token is revoked by its issuer and its identifier, both of them")
    func tokens() throws {
        let exact = RevokedToken(issuer: "https://i", tokenID: "j")
        #expect(try revoked(RevocationSnapshot(tokens: [exact])) == .token)
        for other in [
            RevokedToken(issuer: "https://i/", tokenID: "j"), RevokedToken(issuer: "https://i", tokenID: "J"),
        ] {
            #expect(try revoked(RevocationSnapshot(tokens: [other])) == nil)
        }
    }

    @Test("An agent is revoked as the token's subject and as the peer")
    func agents() throws {
        #expect(try revoked(RevocationSnapshot(agents: [Self.subject])) == .agent)
        #expect(try revoked(RevocationSnapshot(agents: ["spiffe://example.test/agent/b"])) == .agent)
        #expect(try revoked(RevocationSnapshot(agents: ["spiffe://example.test/agent/b"]), identity: nil) == nil)
        #expect(try revoked(RevocationSnapshot(agents: ["spiffe://example.test/agent"])) == nil)
    }

    @Test(
        "A task is revoked by its name, or in one orchestration only",
        arguments: [
            ("t", "t", "o", true), ("t", "t", nil, true), ("o/t", "t", "o", true), ("o/t", "t", nil, false),
            ("p/t", "t", "o", false), ("o/u", "t", "o", false), ("o", "t", "o", false), ("t", nil, "t", false),
            ("o/t", "o/t", nil, true), ("a/b/c", "c", "a/b", true), ("a/b/c", "b/c", "a", true),
            ("a/b/c", "c", "b", false),
        ] as [(String, String?, String?, Bool)])
    func tasks(value: String, task: String?, orchestration: String?, isRevoked: Bool) throws {
        let snapshot = RevocationSnapshot(tasks: [value])
        #expect(try revoked(snapshot, task: task, orchestration: orchestration) == (isRevoked ? .task : nil))
    }

    @Test("A chain is revoked by its root")
    func chains() throws {
        #expect(try revoked(RevocationSnapshot(chains: [Self.subject])) == .chain)
        #expect(try revoked(RevocationSnapshot(chains: ["spiffe://example.test/agent/b"])) == nil)
    }

    @Test("A certificate is revoked as the connection's and as the token's")
    func certificates() throws {
        #expect(try revoked(RevocationSnapshot(certificates: [Self.certificate])) == .certificate)
        #expect(try revoked(RevocationSnapshot(certificates: [Self.bound])) == .certificate)
        #expect(try revoked(RevocationSnapshot(certificates: [Self.key, Self.signer])) == nil)
    }

    @Test("A key is revoked as the token's and as the one that signed it")
    func keys() throws {
        #expect(try revoked(RevocationSnapshot(keys: [Self.key])) == .key)
        #expect(try revoked(RevocationSnapshot(keys: [Self.signer])) == .key)
        #expect(try revoked(RevocationSnapshot(keys: [Self.certificate, Self.bound])) == nil)
    }

    @Test("Nothing is revoked by nothing")
    func empty() throws {
        #expect(RevocationSnapshot.empty.isEmpty)
        #expect(try revoked(.empty) == nil)
        #expect(!RevocationSnapshot(agents: ["a"]).isEmpty)
        #expect(!RevocationSnapshot(tasks: ["a"]).isEmpty)
    }

    // MARK: With evidence

    /// A token as its verifier accepted it.
    private func withVerifiedToken<R>(_ body: (borrowing VerifiedToken) throws -> R) throws -> R {
        let key = try PrivateKey.generate(.ed25519)
        let jwks = #"{"keys":[\#(key.publicJWK(keyID: nil, algorithm: .ed25519))]}"#
        let issuers = IssuerTable([
            TokenIssuer(
                issuer: "https://i", profile: .oauth, audiences: ["a"], algorithms: [.ed25519], clockLeeway: .zero,
                maximumTokenLifetime: .seconds(60), claimNames: .standard, trustDomains: nil,
                keys: try KeySet(jwks: jwks.utf8.span))
        ])
        let payload =
            #"{"iss":"https://i","aud":"a","sub":"s","client_id":"c","jti":"j","iat":1,"exp":9,"task_id":"t"}"#
        let input =
            Base64URL.encode(#"{"alg":"Ed25519","typ":"at+jwt"}"#.utf8.span) + "." + Base64URL.encode(payload.utf8.span)
        let signature = try key.sign(input.utf8.span, with: .ed25519)
        let compact = Array((input + "." + Base64URL.encode(signature.span)).utf8)
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 0)
        let now = UnixTime(seconds: 2)
        return try body(try verifier.verify(compact.span, among: issuers, subjectsWithin: nil, now: now))
    }

    @Test(
        "A verified token passes unless something of it is revoked",
        arguments: [
            (RevocationSnapshot.empty, nil), (RevocationSnapshot(agents: ["x"]), nil),
            (RevocationSnapshot(agents: ["s"]), RevokedCredential.agent),
            (RevocationSnapshot(tokens: [RevokedToken(issuer: "https://i", tokenID: "j")]), .token),
            (RevocationSnapshot(tasks: ["t"]), .task),
        ])
    func evidence(snapshot: RevocationSnapshot, expected: RevokedCredential?) throws {
        let refusal = try withVerifiedToken { token -> RevokedCredential? in
            do throws(RevokedCredential) {
                _ = try snapshot.check(token: token, peer: nil)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal == expected)
    }

    @Test("Every kind has its own reason")
    func reasons() {
        let kinds: [RevokedCredential] = [.agent, .certificate, .chain, .key, .task, .token]
        #expect(Set(kinds.map(\.reason)).count == 6)
        #expect(kinds.allSatisfy { $0.reason.hasPrefix("revocation.") })
    }
}
