import Bytes
import Cryptography
import Delegation
import Identity
import JSON
import Support
import Testing

@testable import Tokens

/// A change to a good AgentWrit token that a rule refuses, and one like it that the rule allows.
private struct Change: Sendable, CustomTestStringConvertible {
    let rule: String
    let bad: [String: String?]
    let good: [String: String?]
    let rejection: TokenRejection

    init(_ rule: String, _ bad: [String: String?], but good: [String: String?], _ rejection: TokenRejection) {
        self.rule = rule
        self.bad = bad
        self.good = good
        self.rejection = rejection
    }

    var testDescription: String { rule + ": " + bad.map { "\($0.key)=\(($0.value ?? "absent").prefix(40))" }.joined() }
}

@Suite("The rules of an AgentWrit token")
struct AgentWritRulesTests {
    private let broker: Broker
    private let table: IssuerTable

    init() throws {
        broker = Broker(key: try .generate(.ed25519), algorithm: .edDSA)
        table = IssuerTable([
            try broker.issuer(
                profile: .agentwrit, clockLeeway: .zero, keys: broker.keySet(keyID: nil))
        ])
    }

    @Test("A token as the broker issues it is accepted, and its claims are read")
    func accepted() throws {
        let claims = try verdict(broker.agentWritToken(["sid": #""s""#]), table).get()
        #expect(claims.profile == .agentwrit)
        #expect(claims.subjectID?.text == Broker.subject)
        #expect(claims.tokenID == "00112233445566778899aabbccddeeff")
        #expect(claims.clientID == nil)
        #expect(claims.grants.map(\.text) == ["read:data:*"])
        #expect(claims.task == "task")
        #expect(claims.orchestration == "orch")
        #expect(claims.confirmations == .none)
        #expect(claims.lineage == .none && claims.delegationDepth == 0)
        #expect(claims.signingKey == broker.key.publicKey.thumbprint)
    }

    @Test("Each rule about claims refuses a token; its twin is accepted", arguments: changes)
    private func rules(change: Change) throws {
        #expect(try verdict(broker.agentWritToken(change.bad), table).rejection == change.rejection)
        #expect(try verdict(broker.agentWritToken(change.good), table).rejection == nil)
    }

    private static let changes = [
        Change("A6", ["iss": .none], but: [:], .missing(.issuer)),
        Change("A6", ["sub": .none], but: [:], .missing(.subject)),
        Change("A6", ["aud": .none], but: [:], .missing(.audience)),
        Change("A6", ["exp": .none], but: [:], .missing(.expiry)),
        Change("A6", ["iat": .none], but: [:], .missing(.issuedAt)),
        Change("A6", ["jti": .none], but: ["nbf": .none], .missing(.tokenID)),
        Change("A3", ["aud": #"["x"]"#], but: ["aud": #""https://localhost:8443""#], .audience),
        Change("scope", ["scope": #"["a b"]"#], but: ["scope": #""a b""#], .invalid(.scope)),
        Change("act", ["act": #"{"sub":"a"}"#], but: ["acta": "1"], .delegationUnsupported),
        Change("depth", ["del_depth": "0"], but: ["depth": "0"], .delegationUnsupported),
        Change("leeway", ["nbf": "1800000001"], but: ["nbf": "1800000000"], .notYetValid),
        Change("leeway", ["iat": "1800000001"], but: ["iat": "1800000000"], .issuedInFuture),
        Change(
            "leeway", ["exp": "1800000000", "iat": "1799999000"], but: ["exp": "1800000001", "iat": "1799999000"],
            .expired),
    ]

    @Test(
        "Each rule about the header refuses a token; its twin is accepted",
        arguments: [
            ("J12", ["typ": .none], ["typ": #""jwt""#], TokenRejection.type),
            ("J12", ["typ": #""at+jwt""#], ["typ": #""JWT""#], .type),
            ("J12", ["typ": #""wit+jwt""#], ["typ": #""application/jwt""#], .type),
            ("J1", ["alg": #""Ed25519""#], ["alg": #""EdDSA""#], .jws(.algorithm)),
            ("kid", ["kid": #""k-1""#], ["kid": .none], .jws(.key)),
            ("kid", ["kid": #""1IG2tMH7J2wbJZnOf8LJzQitKf7LMvoAElsuDMVM54Y""#], [:], .jws(.key)),
        ] as [(String, [String: String?], [String: String?], TokenRejection)])
    func headers(rule: String, bad: [String: String?], good: [String: String?], rejection: TokenRejection) throws {
        #expect(try verdict(broker.agentWritToken(header: bad), table).rejection == rejection)
        #expect(try verdict(broker.agentWritToken(header: good), table).rejection == nil)
    }

    @Test("A kid is the thumbprint of a key, whatever the set calls the key")
    func thumbprints() throws {
        let stranger = try PrivateKey.generate(.ed25519)
        let jwks = """
            {"keys":[\(stranger.publicJWK(keyID: broker.key.publicKey.thumbprint.base64URL, algorithm: .edDSA)),
            \(broker.key.publicJWK(keyID: "a", algorithm: .edDSA))]}
            """
        let both = IssuerTable([
            try broker.issuer(profile: .agentwrit, keys: KeySet(jwks: jwks.utf8.span))
        ])
        #expect(try verdict(broker.agentWritToken(), both).rejection == nil)
        #expect(try verdict(broker.agentWritToken(header: ["kid": #""a""#]), both).rejection == .jws(.key))
        // Two keys could have signed: without a kid nobody knows which.
        #expect(try verdict(broker.agentWritToken(header: ["kid": .none]), both).rejection == .jws(.key))
    }

    @Test("J1: EdDSA and Ed25519 are accepted as the configuration names them")
    func algorithms() throws {
        let modern = Broker(key: broker.key, algorithm: .ed25519)
        let keys = try KeySet(jwks: #"{"keys":[\#(broker.key.publicJWK(keyID: nil, algorithm: nil))]}"#.utf8.span)
        let two = IssuerTable([
            try broker.issuer(profile: .agentwrit, algorithms: [.edDSA, .ed25519], keys: keys)
        ])
        let one = IssuerTable([try broker.issuer(profile: .agentwrit, algorithms: [.ed25519], keys: keys)])
        #expect(try verdict(broker.agentWritToken(), two).rejection == nil)
        #expect(try verdict(modern.agentWritToken(), two).rejection == nil)
        #expect(try verdict(broker.agentWritToken(), one).rejection == .jws(.algorithm))
        #expect(try verdict(modern.agentWritToken(), one).rejection == nil)
    }

    // MARK: The chain

    private static let delegator = "spiffe://example.test/agent/orch/task/0011223344556677"
    private static let chain = [
        ChainRecord(delegator, ["read:data:*", "write:data:*"], at: "2027-01-15T07:59:00.123456789Z")
    ]

    @Test("A token that was passed on is accepted, and says through whom it came")
    func delegated() throws {
        let claims = try verdict(broker.agentWritToken(chain: Self.chain), table).get()
        #expect(claims.delegationDepth == 1)
        #expect(claims.lineage.links == [LineageLink(agent: Self.delegator, scopes: ["read:data:*", "write:data:*"])])
        #expect(claims.agent == Broker.subject && claims.agentID?.text == Broker.subject && claims.actor == nil)
        #expect(claims.revocationNames.contains(RevocationName(.agent, .agent(Self.delegator))))
        #expect(claims.revocationNames.contains(RevocationName(.chain, .chain(Self.delegator))))
        #expect(try verdict(broker.agentWritToken(["delegation_chain": "[]"]), table).rejection == nil)
    }

    @Test("A chain that does not hold refuses its token")
    func broken() throws {
        let widened = try broker.agentWritToken(chain: Self.chain, ["scope": #"["read:data:*","admin:data:*"]"#])
        #expect(try verdict(widened, table).rejection == .lineage(LineageFault(.scope, at: 1)))
        var claims = try Broker.chainClaims(Self.chain.map { try broker.json($0) })
        claims["chain_hash"] = .some(.none)
        #expect(try verdict(broker.agentWritToken(claims), table).rejection == .lineage(LineageFault(.hash)))
    }

    @Test("Any key of the broker may have signed a record, and nobody else's")
    func rotation() throws {
        let old = Broker(key: try .generate(.ed25519), algorithm: .edDSA)
        let records = try Broker.chainClaims(Self.chain.map { try old.json($0) })
        let jwks = """
            {"keys":[\(broker.key.publicJWK(keyID: "a", algorithm: .edDSA)),
            \(old.key.publicJWK(keyID: "b", algorithm: .edDSA))]}
            """
        let both = IssuerTable([try broker.issuer(profile: .agentwrit, keys: KeySet(jwks: jwks.utf8.span))])
        #expect(try verdict(broker.agentWritToken(records), both).rejection == nil)
        #expect(
            try verdict(broker.agentWritToken(records), table).rejection == .lineage(LineageFault(.signature, at: 0)))
    }

    @Test("Whoever passed it on must be of a trust domain that the issuer may name")
    func trustDomains() throws {
        let chain =
            Self.chain + [
                ChainRecord("spiffe://other.test/a", ["read:data:*"], at: "2027-01-15T07:59:30Z")
            ]
        let token = try broker.agentWritToken(chain: chain)
        let here = ["example.test"]
        #expect(try verdict(token, table, within: here).rejection == .lineage(LineageFault(.trustDomain, at: 1)))
        #expect(try verdict(token, table, within: here + ["other.test"]).rejection == nil)
        #expect(try verdict(broker.agentWritToken(chain: Self.chain), table, within: here).rejection == nil)
    }
}
