import Bytes
import Cryptography
import Identity
import TLS
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
        _ keys: RevocationKey..., task: String? = "t", orchestration: String? = "o",
        identity: String? = "spiffe://example.test/agent/b"
    ) throws -> RevokedCredential? {
        try refusal(
            RevocationSnapshot(set: RevocationSet(keys)), task: task, orchestration: orchestration, identity: identity)
    }

    private func refusal(
        _ snapshot: RevocationSnapshot, task: String? = "t", orchestration: String? = "o", identity: String? = nil,
        now: UnixTime = Self.now
    ) throws -> RevokedCredential? {
        let claims = try claims(task: task, orchestration: orchestration)
        var names = [RevocationName(.certificate, .certificate(Self.certificate))]
        if let identity {
            names += [RevocationName(.agent, .agent(identity)), RevocationName(.chain, .chain(identity))]
        }
        do throws(RevokedCredential) {
            try snapshot.check(claims, peer: names, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test("A token is revoked by its issuer and its identifier, both of them")
    func tokens() throws {
        #expect(try revoked(.token(issuer: "https://i", tokenID: "j")) == .token)
        #expect(try revoked(.token(issuer: "https://i/", tokenID: "j")) == nil)
        #expect(try revoked(.token(issuer: "https://i", tokenID: "J")) == nil)
    }

    @Test("An agent is revoked as the token's subject and as the peer")
    func agents() throws {
        #expect(try revoked(.agent(Self.subject)) == .agent)
        #expect(try revoked(.agent("spiffe://example.test/agent/b")) == .agent)
        #expect(try revoked(.agent("spiffe://example.test/agent/b"), identity: nil) == nil)
        #expect(try revoked(.agent("spiffe://example.test/agent")) == nil)
    }

    @Test("A task is revoked by its name, or in one orchestration only")
    func tasks() throws {
        #expect(try revoked(.task("t")) == .task)
        #expect(try revoked(.task("t"), orchestration: nil) == .task)
        #expect(try revoked(.task("u")) == nil)
        #expect(try revoked(.task("t", of: "o")) == .task)
        #expect(try revoked(.task("t", of: "o"), orchestration: nil) == nil)
        #expect(try revoked(.task("t", of: "p")) == nil)
        #expect(try revoked(.task("t"), task: nil) == nil)
    }

    @Test("A chain is revoked by its root, and its root's client with it")
    func chains() throws {
        #expect(try revoked(.chain(Self.subject)) == .chain)
        #expect(try revoked(.chain("spiffe://example.test/agent/b")) == .chain)
        #expect(try revoked(.chain("spiffe://example.test/agent/c")) == nil)
    }

    @Test("A certificate is revoked as the connection's and as the token's")
    func certificates() throws {
        #expect(try revoked(.certificate(Self.certificate)) == .certificate)
        #expect(try revoked(.certificate(Self.bound)) == .certificate)
        #expect(try revoked(.certificate(Self.key), .certificate(Self.signer)) == nil)
    }

    @Test("A key is revoked as the token's and as the one that signed it")
    func keys() throws {
        #expect(try revoked(.key(Self.key)) == .key)
        #expect(try revoked(.key(Self.signer)) == .key)
        #expect(try revoked(.key(Self.certificate), .key(Self.bound)) == nil)
    }

    @Test("Everything is revoked by the one key that no name has")
    func everything() throws {
        #expect(try revoked(.everything) == .everything)
        #expect(RevocationSnapshot(set: RevocationSet([.everything])).hit([]) == .everything)
    }

    @Test("Nothing is revoked by nothing")
    func empty() throws {
        #expect(RevocationSnapshot.empty.isEmpty)
        #expect(try refusal(.empty) == nil)
        #expect(!RevocationSnapshot(set: RevocationSet([.agent("a")])).isEmpty)
    }

    @Test("A living connection is hit at the level that it is revoked at")
    func hits() {
        let names = [RevocationName(.agent, .agent("a")), RevocationName(.chain, .chain("a"))]
        #expect(RevocationSnapshot(set: RevocationSet([.chain("a")])).hit(names) == .chain)
        #expect(RevocationSnapshot(set: RevocationSet([.agent("a"), .chain("a")])).hit(names) == .agent)
        #expect(RevocationSnapshot(set: RevocationSet([.agent("b")])).hit(names) == nil)
        #expect(RevocationSnapshot.empty.hit(names) == nil)
    }

    // MARK: Freshness

    private static let now = UnixTime(seconds: 2)

    @Test(
        "A feed that denies when stale is believed up to its moment, and not at all before it was heard",
        arguments: [
            (UnixTime(seconds: 2), true, nil), (UnixTime(nanoseconds: 1_999_999_999), true, .stale(feed: "f")),
            (nil, true, .stale(feed: "f")), (nil, false, nil), (UnixTime(seconds: 1), false, nil),
        ] as [(UnixTime?, Bool, RevokedCredential?)])
    func staleness(freshUntil: UnixTime?, denies: Bool, expected: RevokedCredential?) throws {
        let feed = FeedFreshness(name: "f", freshUntil: freshUntil, deniesWhenStale: denies)
        let fresh = FeedFreshness(name: "g", freshUntil: UnixTime(seconds: 9), deniesWhenStale: true)
        #expect(try refusal(RevocationSnapshot.empty.with(freshness: [fresh, feed])) == expected)
    }

    @Test("What is revoked is refused as that, though a feed is stale")
    func precedence() throws {
        let stale = FeedFreshness(name: "f", freshUntil: nil, deniesWhenStale: true)
        let snapshot = RevocationSnapshot.empty.with(freshness: [stale]).with(set: RevocationSet([.task("t")]))
        #expect(try refusal(snapshot) == .task)
        #expect(try refusal(snapshot.with(set: RevocationSet())) == .stale(feed: "f"))
    }

    @Test("Only ignorance is a matter of availability")
    func availability() {
        #expect(RevokedCredential.stale(feed: "f").isUnavailability)
        #expect(RevokedCredential.statusUnknown(uri: "u").isUnavailability)
        for known in [RevokedCredential.token, .everything, .status(1), .statusInvalid] {
            #expect(!known.isUnavailability)
        }
    }

    @Test("A handshake sees what was adopted last, and does not mind a stale feed")
    func view() {
        func refusal(_ view: RevocationView) -> String? {
            do throws(CertificateRefusal) {
                try view.check([RevocationName(.agent, .agent("a"))], now: Self.now)
                return nil
            } catch {
                return error.reason
            }
        }
        let stale = FeedFreshness(name: "f", freshUntil: nil, deniesWhenStale: true)
        let view = RevocationView(RevocationSnapshot.empty.with(freshness: [stale]))
        #expect(refusal(view) == nil)
        view.adopt(RevocationSnapshot(set: RevocationSet([.agent("a")])))
        #expect(refusal(view) == "revocation.agent")
        view.adopt(.empty)
        #expect(refusal(view) == nil)
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
            ([], nil), ([.agent("x")], nil), ([.agent("s")], .agent),
            ([.token(issuer: "https://i", tokenID: "j")], .token), ([.task("t")], .task),
        ] as [([RevocationKey], RevokedCredential?)])
    func evidence(keys: [RevocationKey], expected: RevokedCredential?) throws {
        let snapshot = RevocationSnapshot(set: RevocationSet(keys))
        let refusal = try withVerifiedToken { token -> RevokedCredential? in
            do throws(RevokedCredential) {
                _ = try snapshot.check(token: token, peer: nil, now: Self.now)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal == expected)
    }

    @Test("Every kind has its own reason")
    func reasons() {
        let kinds =
            RevocationLevel.allCases.map { RevokedCredential($0) }
            + [.status(1), .statusInvalid, .statusUnknown(uri: ""), .stale(feed: "")]
        #expect(Set(kinds.map(\.reason)).count == kinds.count)
        for level in RevocationLevel.allCases {
            #expect(RevokedCredential(level).reason == "revocation.\(level.rawValue)")
        }
        #expect(kinds.allSatisfy { $0.reason.hasPrefix("revocation.") })
    }
}
