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
        #expect(claims.delegation.isEmpty && claims.delegationDepth == 0)
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

    private static let delegator = "spiffe://agentwrit.local/agent/orch/task/0011223344556677"
    private static let record =
        #"{"agent":"\#(delegator)","scope":["read:data:*","write:data:*"],"#
        + #""delegated_at":"2026-02-15T12:00:00.123456789Z","signature":"\#(signature)"}"#
    private static let signature =
        "a934d1559f22a3c7b1a96eb1136fc56bc13974c4563e9dffd92629b64f7bba21"
        + "4c5b75ae1cca89c812452b9ce6b26481a593d36b755ad4040e056b8c11482a05"
    private static let chainHash = "4caac56e12fa3b17a98f7bb96e13ce26eea3f2d150a3c1e2bfca479af13f6fe4"

    private func read(_ changed: [String: String?]) throws -> Result<TokenClaims, TokenRejection> {
        let document = try JSONDocument(Broker.json(Broker.agentWritClaims, changed).utf8.span)
        let origin = TokenOrigin(
            issuer: table.issuers[0], index: 0, signingKey: nil, engine: try CryptographicEngine(), now: Broker.now)
        do throws(TokenRejection) {
            return .success(try AgentWritRules.read(ClaimReader(document.root), of: origin))
        } catch {
            return .failure(error)
        }
    }

    @Test("The chain of the formula's vector is read, and its record is what the broker signed")
    func vector() throws {
        let claims = try read([
            "delegation_chain": "[\(Self.record)]", "chain_hash": "\"\(Self.chainHash)\"",
        ]).get()
        let record = try #require(claims.delegation.first)
        #expect(claims.delegationDepth == 1)
        #expect(record.agent == Self.delegator)
        #expect(record.scopes == ["read:data:*", "write:data:*"])
        #expect(record.delegatedAt == "2026-02-15T12:00:00.123456789Z")
        let key = try ed25519Key("A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg")
        #expect(key.thumbprint.base64URL == "1IG2tMH7J2wbJZnOf8LJzQitKf7LMvoAElsuDMVM54Y")
        let message = record.agent + "|" + record.scopes.joined(separator: ",") + "|" + record.delegatedAt
        let isSigned = try CryptographicEngine().verifies(
            record.signature.span, of: message.utf8.span, by: key, with: .ed25519)
        #expect(isSigned)
    }

    @Test("A token that was passed on is refused, and one with an empty chain is not")
    func delegated() throws {
        let delegated = try broker.agentWritToken([
            "delegation_chain": "[\(Self.record)]", "chain_hash": "\"\(Self.chainHash)\"",
        ])
        #expect(try verdict(delegated, table).rejection == .delegationUnsupported)
        #expect(try verdict(broker.agentWritToken(["delegation_chain": "[]"]), table).rejection == nil)
    }

    /// The SHA-256 of a text, as the claim has it.
    private func hash(_ text: String) throws -> String {
        "\"\(try CryptographicEngine().sha256(text.utf8.span).hexadecimal)\""
    }

    @Test(
        "The hash is over the bytes as written",
        arguments: [
            // One space more, a member in another place, an escape spelled otherwise: the same chain, other bytes.
            "[ \(record)]", "[\(record.replacing("read:data", with: #"rea\u0064:data"#))]",
            #"[{"scope":[],"agent":"a","delegated_at":"2026-02-15T12:00:00Z","signature":"\#(signature)"}]"#,
        ])
    func chainHashes(chain: String) throws {
        #expect(try read(["delegation_chain": chain, "chain_hash": hash(chain)]).rejection == nil)
        let stated = "\"\(Self.chainHash)\""
        #expect(try read(["delegation_chain": chain, "chain_hash": stated]).rejection == .invalid(.chainHash))
    }

    @Test(
        "A chain needs its hash, in lower-case hexadecimal; a hash needs its chain",
        arguments: [
            (nil, TokenRejection.missing(.chainHash)), ("null", .invalid(.chainHash)), ("1", .invalid(.chainHash)),
            (#""""#, .invalid(.chainHash)), ("\"\(chainHash.uppercased())\"", .invalid(.chainHash)),
            ("\"\(chainHash.dropLast())\"", .invalid(.chainHash)), ("\"\(chainHash)\"", nil),
        ] as [(String?, TokenRejection?)])
    func hashForms(hash: String?, rejection: TokenRejection?) throws {
        #expect(try read(["delegation_chain": "[\(Self.record)]", "chain_hash": hash]).rejection == rejection)
    }

    @Test("A hash without a chain is refused, and an empty chain may have one")
    func emptyChains() throws {
        #expect(try read(["chain_hash": hash("[]")]).rejection == .invalid(.chainHash))
        #expect(try read(["delegation_chain": "[]", "chain_hash": hash("[]")]).rejection == nil)
        #expect(try read(["delegation_chain": "[]", "chain_hash": hash("[ ]")]).rejection == .invalid(.chainHash))
        #expect(try read([:]).rejection == nil)
    }

    @Test(
        "P13: A record has four members of the right form",
        arguments: [
            (#""agent":"\#(delegator)""#, #""agent":"""#), (#""agent":"\#(delegator)""#, #""agent":1"#),
            (#""agent":"\#(delegator)""#, #""agent":"a b""#), (#""agent":"\#(delegator)""#, #""agents":"a""#),
            (#"["read:data:*","write:data:*"]"#, #""read:data:*""#), (#"["read:data:*","write:data:*"]"#, "[1]"),
            (#"["read:data:*","write:data:*"]"#, #"["a b"]"#), (#"["read:data:*","write:data:*"]"#, "null"),
            (".123456789Z", ""), (".123456789Z", "+00:00"), (".123456789Z", ".Z"), (".123456789Z", ".1234567890Z"),
            (".123456789Z", ".12345x789Z"), ("2026-02-15T", "2026-02-15 "), ("2026-02", "2O26-02"),
            ("a934", "A934"), ("a934", "a93"), ("a934", "zz34"), (#""signature":""#, #""signature":"00"#),
        ])
    func records(part: String, replacement: String) throws {
        try #require(Self.record.contains(part))
        let chain = "[\(Self.record.replacing(part, with: replacement))]"
        let bad = try read(["delegation_chain": chain, "chain_hash": hash(chain)])
        #expect(bad.rejection == .invalid(.delegationChain))
        let good = try read(["delegation_chain": "[\(Self.record)]", "chain_hash": hash("[\(Self.record)]")])
        #expect(good.rejection == nil)
    }

    @Test("Every precision of a record's time is read", arguments: ["", ".1", ".123456789"])
    func times(fraction: String) throws {
        let chain = "[\(Self.record.replacing(".123456789", with: fraction))]"
        let time = try read(["delegation_chain": chain, "chain_hash": hash(chain)]).get().delegation[0].delegatedAt
        #expect(time == "2026-02-15T12:00:00\(fraction)Z")
    }

    @Test(
        "P13: A chain has at most sixteen records",
        arguments: [(16, nil), (17, .invalid(.delegationChain))] as [(Int, TokenRejection?)])
    func length(count: Int, rejection: TokenRejection?) throws {
        let chain = "[" + repeatElement(Self.record, count: count).joined(separator: ",") + "]"
        #expect(try read(["delegation_chain": chain, "chain_hash": hash(chain)]).rejection == rejection)
    }

    @Test("A chain is an array of objects", arguments: ["{}", "null", #""x""#, "[1]", "[[]]", "[null]", "[{}]"])
    func shapes(chain: String) throws {
        let read = try read(["delegation_chain": chain, "chain_hash": hash(chain)])
        #expect(read.rejection == .invalid(.delegationChain))
    }
}
