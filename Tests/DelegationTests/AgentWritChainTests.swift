import Bytes
import Cryptography
import Delegation
import JSON
import Support
import Testing

@Suite("The chain of an AgentWrit token")
struct AgentWritChainTests {
    private let broker: Broker
    private let engine: CryptographicEngine

    init() throws {
        broker = Broker(key: try .generate(.ed25519), algorithm: .edDSA)
        engine = try CryptographicEngine()
    }

    // MARK: Reading

    private static let delegator = "spiffe://agentwrit.local/agent/orch/task/0011223344556677"
    private static let record =
        #"{"agent":"\#(delegator)","scope":["read:data:*","write:data:*"],"#
        + #""delegated_at":"2026-02-15T12:00:00.123456789Z","signature":"\#(signature)"}"#
    private static let signature =
        "a934d1559f22a3c7b1a96eb1136fc56bc13974c4563e9dffd92629b64f7bba21"
        + "4c5b75ae1cca89c812452b9ce6b26481a593d36b755ad4040e056b8c11482a05"
    private static let chainHash = "4caac56e12fa3b17a98f7bb96e13ce26eea3f2d150a3c1e2bfca479af13f6fe4"

    /// Reads a chain with its claim `chain_hash`, which is computed where none is given.
    private func read(_ chain: String?, hash: String? = nil) throws -> Result<AgentWritChain, LineageFault> {
        var members: [String: String?] = [:]
        if let chain { members["delegation_chain"] = chain }
        members["chain_hash"] = hash
        return try read(members)
    }

    private func read(_ members: [String: String?]) throws -> Result<AgentWritChain, LineageFault> {
        let document = try JSONDocument(Broker.json([:], members).utf8.span)
        do throws(LineageFault) {
            return .success(
                try AgentWritChain(
                    document.root.member("delegation_chain"), hash: document.root.member("chain_hash"), engine: engine))
        } catch {
            return .failure(error)
        }
    }

    private func hash(_ text: String) -> String { "\"\(engine.sha256(text.utf8.span).hexadecimal)\"" }

    @Test("The chain of the formula's vector is read, and its record is what the broker signed")
    func vector() throws {
        let chain = try read("[\(Self.record)]", hash: "\"\(Self.chainHash)\"").get()
        let record = try #require(chain.records.first)
        #expect(chain.lineage.links == [LineageLink(agent: Self.delegator, scopes: ["read:data:*", "write:data:*"])])
        #expect(record.delegatedAt == "2026-02-15T12:00:00.123456789Z")
        #expect(record.time == UnixTime(nanoseconds: 1_771_156_800_123_456_789))
        #expect(record.signedText == "\(Self.delegator)|read:data:*,write:data:*|2026-02-15T12:00:00.123456789Z")
        let token = DelegatedToken(
            holder: Broker.subject, scopes: ["read:data:7"], issuedAt: UnixTime(seconds: 1_771_156_801),
            expiresAt: UnixTime(seconds: 1_771_157_101), longestLifetime: .seconds(3600), leeway: .zero)
        let key = try Self.vectorKey()
        #expect(key.thumbprint.base64URL == "1IG2tMH7J2wbJZnOf8LJzQitKf7LMvoAElsuDMVM54Y")
        #expect(throws: Never.self) { try chain.verify(token, keys: [key], engine: engine) }
        #expect(throws: LineageFault(.signature, at: 0)) {
            try chain.verify(token, keys: [broker.key.publicKey], engine: engine)
        }
    }

    private static func vectorKey() throws -> PublicKey {
        let x = Base64URL.decode("A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg".utf8.span) ?? []
        return try PublicKey.ed25519(x.span)
    }

    @Test(
        "The hash is over the bytes as written",
        arguments: [
            // One space more, a member in another place, an escape spelled otherwise: the same chain, other bytes.
            "[ \(record)]", "[\(record.replacing("read:data", with: #"rea\u0064:data"#))]",
            #"[{"scope":[],"agent":"a","delegated_at":"2026-02-15T12:00:00Z","signature":"\#(signature)"}]"#,
        ])
    func chainHashes(chain: String) throws {
        #expect(try read(chain, hash: hash(chain)).fault == nil)
        #expect(try read(chain, hash: "\"\(Self.chainHash)\"").fault == LineageFault(.hash))
    }

    @Test(
        "A chain needs its hash, in lower-case hexadecimal",
        arguments: [
            (nil, .hash), ("null", .hash), ("1", .hash), (#""""#, .hash), ("\"\(chainHash.uppercased())\"", .hash),
            ("\"\(chainHash.dropLast())\"", .hash), ("\"\(chainHash)\"", nil),
        ] as [(String?, LineageFault.Kind?)])
    func hashForms(hash: String?, kind: LineageFault.Kind?) throws {
        #expect(try read("[\(Self.record)]", hash: hash).fault == kind.map { LineageFault($0) })
    }

    @Test("A hash without its chain is refused, and an empty chain may have one")
    func emptyChains() throws {
        #expect(try read(nil, hash: hash("[]")).fault == LineageFault(.missingLink))
        #expect(try read("[]", hash: hash("[]")).get().lineage == .none)
        #expect(try read("[]", hash: hash("[ ]")).fault == LineageFault(.hash))
        #expect(try read("[]").fault == nil)
        #expect(try read([:]).fault == nil)
    }

    @Test(
        "P13: A record has four members of the right form",
        arguments: [
            (#""agent":"\#(delegator)""#, #""agent":"""#), (#""agent":"\#(delegator)""#, #""agent":1"#),
            (#""agent":"\#(delegator)""#, #""agent":"a b""#), (#""agent":"\#(delegator)""#, #""agents":"a""#),
            (#""agent":"\#(delegator)""#, #""agent":"app:a|b""#), ("agentwrit.local", "AgentWrit.local"),
            ("spiffe://agentwrit.local/agent/orch", "SPIFFE://agentwrit.local/agent/orch"),
            (#"["read:data:*","write:data:*"]"#, #""read:data:*""#), (#"["read:data:*","write:data:*"]"#, "[1]"),
            (#"["read:data:*","write:data:*"]"#, #"["a b"]"#), (#"["read:data:*","write:data:*"]"#, "null"),
            (#"["read:data:*","write:data:*"]"#, #"["read:data:*,write:data:*"]"#), ("read:data:*", "read|data"),
            (".123456789Z", ""), (".123456789Z", "+00:00"), (".123456789Z", ".Z"), (".123456789Z", ".1234567890Z"),
            (".123456789Z", ".12345x789Z"), ("2026-02-15T", "2026-02-15 "), ("2026-02", "2O26-02"),
            ("02-15T", "02-30T"), ("02-15T", "00-15T"), ("02-15T", "13-15T"), ("02-15T", "02-00T"), ("T12:", "T24:"),
            ("12:00:00", "12:60:00"), ("12:00:00", "12:00:60"), ("2026-", "1969-"), ("2026-", "9999-"),
            ("a934", "A934"), ("a934", "a93"), ("a934", "zz34"), (#""signature":""#, #""signature":"00"#),
        ])
    func records(part: String, replacement: String) throws {
        try #require(Self.record.contains(part))
        let good = "[\(Self.record)]"
        let bad = "[\(Self.record),\(Self.record.replacing(part, with: replacement))]"
        #expect(try read(bad, hash: hash(bad)).fault == LineageFault(.form, at: 1))
        #expect(try read(good, hash: hash(good)).fault == nil)
    }

    @Test(
        "Every precision of a record's time is read, and every day there is",
        arguments: [
            ("2026-02-15T12:00:00Z", 1_771_156_800_000_000_000), ("2026-02-15T12:00:00.1Z", 1_771_156_800_100_000_000),
            ("2026-02-15T12:00:00.000000001Z", 1_771_156_800_000_000_001), ("1970-01-01T00:00:00Z", 0),
            ("2028-02-29T23:59:59Z", 1_835_481_599_000_000_000), ("2000-03-01T00:00:00Z", 951_868_800_000_000_000),
            ("2026-12-31T00:00:00Z", 1_798_675_200_000_000_000),
        ])
    func times(text: String, nanoseconds: Int64) throws {
        let chain = "[\(Self.record.replacing("2026-02-15T12:00:00.123456789Z", with: text))]"
        let record = try read(chain, hash: hash(chain)).get().records[0]
        #expect(record.delegatedAt == text)
        #expect(record.time == UnixTime(nanoseconds: nanoseconds))
    }

    @Test("P13: A chain has at most sixteen records", arguments: [(16, nil), (17, LineageFault(.depth, at: 16))])
    func length(count: Int, fault: LineageFault?) throws {
        let chain = "[" + repeatElement(Self.record, count: count).joined(separator: ",") + "]"
        #expect(try read(chain, hash: hash(chain)).fault == fault)
    }

    @Test("A chain is an array", arguments: ["{}", "null", #""x""#, "1"])
    func shapes(chain: String) throws {
        #expect(try read(chain, hash: hash(chain)).fault == LineageFault(.form))
    }

    @Test("A record is an object", arguments: ["[1]", "[[]]", "[null]", "[{}]"])
    func recordShapes(chain: String) throws {
        #expect(try read(chain, hash: hash(chain)).fault == LineageFault(.form, at: 0))
    }

    // MARK: Judging

    private static let planner = "spiffe://example.test/planner"
    private static let researcher = "spiffe://example.test/researcher"
    private static let reader = "spiffe://example.test/reader"

    /// What a planner passed to a researcher, and that to a reader.
    private static let hops = [
        ChainRecord(planner, ["read:data:*", "write:data:*", "openid"], at: "2027-01-15T08:00:00Z"),
        ChainRecord(researcher, ["read:data:*", "openid"], at: "2027-01-15T08:10:00.5Z"),
    ]

    private static func token(
        holder: String = reader, scopes: [String] = ["read:data:7"], issued: Int64 = 601, expires: Int64 = 900,
        leeway: Interval = .zero
    ) -> DelegatedToken {
        DelegatedToken(
            holder: holder, scopes: scopes, issuedAt: Broker.now + .seconds(issued),
            expiresAt: Broker.now + .seconds(expires), longestLifetime: .seconds(3600), leeway: leeway)
    }

    private func judge(_ records: [String], _ token: DelegatedToken = Self.token()) throws -> LineageFault? {
        let chain = try read(Broker.chainClaims(records)).get()
        do throws(LineageFault) {
            try chain.verify(token, keys: [broker.key.publicKey], engine: engine)
            return nil
        } catch {
            return error
        }
    }

    private func judge(_ hops: [ChainRecord], _ token: DelegatedToken = Self.token()) throws -> LineageFault? {
        try judge(hops.map { try broker.json($0) }, token)
    }

    private func judge(_ token: DelegatedToken) throws -> LineageFault? { try judge(Self.hops, token) }

    @Test("A chain of three agents holds, and so does none")
    func holds() throws {
        #expect(try judge(Self.hops) == nil)
        #expect(try judge([ChainRecord](), Self.token(scopes: ["anything"])) == nil)
    }

    @Test("A record that was changed is refused, whatever of it")
    func tampered() throws {
        let good = try Self.hops.map { try broker.json($0) }
        for (part, other) in [
            ("/researcher", "/researcheR"), ("read:data:*", "read:data:1"), ("08:10:00.5Z", "08:10:00.50Z"),
        ] {
            try #require(good[1].contains(part))
            let bad = [good[0], good[1].replacing(part, with: other)]
            let token = Self.token(scopes: ["read:data:1"])
            #expect(try judge(bad, token) == LineageFault(.signature, at: 1), "\(part)")
            #expect(try judge(good, token) == nil)
        }
    }

    @Test("Records in another order are refused")
    func order() throws {
        #expect(try judge(Self.hops.reversed()) == LineageFault(.order, at: 1))
        var same = Self.hops
        same[1].delegatedAt = same[0].delegatedAt
        #expect(try judge(same) == nil)
    }

    @Test("The token was made after the last delegation, or in its second, but for the clock's leeway")
    func tokenTime() throws {
        #expect(try judge(Self.token(issued: 599)) == LineageFault(.order, at: 2))
        #expect(try judge(Self.token(issued: 600)) == nil)
        #expect(try judge(Self.token(issued: 599, leeway: .seconds(1))) == nil)
    }

    @Test("Nobody passes on more than it has")
    func scopes() throws {
        var widened = Self.hops
        widened[1].scopes += ["write:other:1"]
        #expect(try judge(widened) == LineageFault(.scope, at: 1))
        widened[1].scopes = ["read:data:*", "write:data:1"]
        #expect(try judge(widened) == nil)
        for (scope, holds) in [
            ("read:data:*", true), ("read:data:7:8", true), ("openid", true), ("write:data:7", false),
            ("read:Data:7", false), ("openID", false), ("read:data", false), ("*:*:*", false),
        ] {
            let fault = try judge(Self.token(scopes: [scope]))
            #expect(fault == (holds ? nil : LineageFault(.scope, at: 2)), "\(scope)")
        }
        #expect(try judge(Self.token(scopes: [])) == nil)
    }

    @Test("One identifier does not cover another, nor all")
    func identifiers() throws {
        var narrow = Self.hops
        narrow[1].scopes = ["read:data:7"]
        for (scope, holds) in [("read:data:7", true), ("read:data:8", false), ("read:data:*", false)] {
            let fault = try judge(narrow, Self.token(scopes: [scope]))
            #expect(fault == (holds ? nil : LineageFault(.scope, at: 2)), "\(scope)")
        }
    }

    @Test("Nobody is in a chain twice, the holder among them")
    func cycles() throws {
        #expect(try judge(Self.token(holder: Self.planner)) == LineageFault(.cycle, at: 2))
        let again = ChainRecord(Self.planner, ["read:data:*"], at: "2027-01-15T08:10:01Z")
        #expect(try judge(Self.hops + [again]) == LineageFault(.cycle, at: 2))
        let other = ChainRecord("spiffe://example.test/other", ["read:data:*"], at: "2027-01-15T08:10:01Z")
        #expect(try judge(Self.hops + [other]) == nil)
    }

    @Test("No child lives longer than the first parent can have")
    func outlives() throws {
        #expect(try judge(Self.token(expires: 3600)) == nil)
        #expect(try judge(Self.token(expires: 3601)) == LineageFault(.outlivesParent, at: 2))
        #expect(try judge(Self.token(expires: 3601, leeway: .seconds(1))) == nil)
        var late = Self.hops
        late[1].delegatedAt = "2027-01-15T09:00:00.000000001Z"
        #expect(try judge(late, Self.token(issued: 3601)) == LineageFault(.outlivesParent, at: 1))
    }

    @Test("A chain that was cut shows in its hash, and cannot without it")
    func cut() throws {
        let records = try Self.hops.map { try broker.json($0) }
        var claims = try Broker.chainClaims(records)
        claims["delegation_chain"] = "[\(records[1])]"
        #expect(try read(claims).fault == LineageFault(.hash))
        claims["delegation_chain"] = .some(.none)
        #expect(try read(claims).fault == LineageFault(.missingLink))
    }
}

extension Result where Failure == LineageFault {
    fileprivate var fault: LineageFault? {
        if case .failure(let fault) = self { fault } else { nil }
    }
}
