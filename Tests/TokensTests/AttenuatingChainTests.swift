import Bytes
import Cryptography
import Delegation
import Identity
import Support
import Testing

@testable import Tokens

/// Numbers that look random and are the same each time (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite("Chains of attenuating agent tokens")
struct AttenuatingChainTests {
    private typealias Change = Delegators.Change

    private let agents: Delegators

    init() throws {
        agents = try Delegators.standard()
    }

    private func verdict(
        _ tokens: [[UInt8]], _ table: IssuerTable? = nil, by verifier: TokenVerifier? = nil,
        at now: UnixTime = Broker.now
    ) throws -> Result<TokenClaims, TokenRejection> {
        try verdict(leaf: tokens.last ?? [], after: tokens.dropLast().listed, table, by: verifier, at: now)
    }

    private func verdict(
        leaf: [UInt8], after chain: [UInt8], _ table: IssuerTable? = nil, by verifier: TokenVerifier? = nil,
        at now: UnixTime = Broker.now
    ) throws -> Result<TokenClaims, TokenRejection> {
        let verifier = try verifier ?? TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
        let table = try table ?? agents.table()
        do throws(TokenRejection) {
            let token = try verifier.verify(leaf.span, after: chain.span, among: table, subjectsWithin: nil, now: now)
            return .success(token.claims)
        } catch {
            return .failure(error)
        }
    }

    private func rejection(_ last: Int, _ place: Int, _ change: Change) throws -> TokenRejection? {
        try verdict(agents.chain(last, [place: change])).rejection
    }

    private static func lineage(_ kind: LineageFault.Kind, _ link: Int? = nil) -> TokenRejection {
        .lineage(LineageFault(kind, at: link))
    }

    // MARK: What a chain says

    @Test("A token that its issuer gave to who presents it needs no chain")
    func root() throws {
        let claims = try verdict(agents.chain(0)).get()
        #expect(claims.subject == agents.name(0) && claims.subjectID == nil)
        #expect(claims.issuer == Broker.issuer && claims.profile == .aat && claims.tokenID == "t-0")
        #expect(claims.lineage == .none && claims.delegationDepth == 0)
        #expect(claims.scopes.isEmpty && claims.grants.isEmpty)
        #expect(claims.capabilities?.names == ["read:orders", "list:orders"])
        #expect(claims.keyThumbprint == agents.holders[0].key.publicKey.thumbprint)
        #expect(claims.signingKey == agents.issuer.key.publicKey.thumbprint)
    }

    @Test("An issuer of tokens of another kind has not asked that holders pass them on")
    func otherProfile() throws {
        let tokens = try agents.chain(
            1, [0: Change(["client_id": #""c""#, "sub": #""s""#], header: ["typ": #""at+jwt""#])])
        #expect(try verdict(tokens, agents.table(profile: .oauth)).rejection == .profile)
        #expect(try verdict(agents.chain(1), agents.table()).rejection == nil)
    }

    @Test("The status of a chain stands where its issuer keeps it, whatever a holder says")
    func status() throws {
        let place = #"{"status_list":{"idx":7,"uri":"https://broker.example/lists/1"}}"#
        let other = #"{"status_list":{"idx":8,"uri":"https://broker.example/lists/1"}}"#
        let tokens = try agents.chain(1, [0: Change(["status": place]), 1: Change(["status": other])])
        #expect(
            try verdict(tokens).get().statusReference
                == StatusReference(uri: "https://broker.example/lists/1", index: 7))
        #expect(try verdict(try agents.chain(1)).get().statusReference == nil)
    }

    @Test("A token at the end of a chain is its holder's, and names all through whom it came")
    func chain() throws {
        let purpose = ["sponsor": #""alice""#, "task_id": #""task""#, "orch_id": #""orch""#]
        let tools = Delegators.details(#"{"read:orders":{"identifier":{"constraint_type":"exact","value":"7"}}}"#)
        let tokens = try agents.chain(3, [0: Change(purpose), 3: Change(["authorization_details": tools])])
        let claims = try verdict(tokens).get()
        #expect(claims.subject == agents.name(3) && claims.tokenID == "t-3")
        #expect(claims.issuer == Broker.issuer)
        #expect(claims.sponsor == "alice" && claims.task == "task" && claims.orchestration == "orch")
        #expect(claims.expiresAt == UnixTime(seconds: 1_800_000_297))
        #expect(claims.capabilities?.names == ["read:orders"])
        let links = claims.lineage.links
        #expect(links.map(\.agent) == (0..<3).map(agents.name))
        #expect(links.map(\.tokenID) == ["t-0", "t-1", "t-2"])
        #expect(links.map(\.issuer) == [Broker.issuer, Broker.issuer, Broker.issuer])
        #expect(links.map(\.scopes) == Array(repeating: ["read:orders", "list:orders"], count: 3))
        #expect(links.map(\.key) == agents.holders[0..<3].map { $0.key.publicKey.thumbprint })
        for place in 0..<3 {
            let key = agents.holders[place].key.publicKey.thumbprint
            #expect(claims.revocationNames.contains(RevocationName(.key, .key(key))))
            #expect(claims.revocationNames.contains(RevocationName(.agent, .agent(agents.name(place)))))
            let token = RevocationKey.token(issuer: Broker.issuer, tokenID: "t-\(place)")
            #expect(claims.revocationNames.contains(RevocationName(.token, token)))
        }
    }

    @Test("Sixteen tokens may come before the last, and no more")
    func length() throws {
        #expect(try verdict(agents.chain(16)).get().delegationDepth == 16)
        let tooLong = Change(["del_depth": "16"])
        #expect(try verdict(agents.chain(17, [17: tooLong])).rejection == Self.lineage(.depth))
        #expect(try rejection(1, 0, Change(["del_max_depth": "17"])) == Self.lineage(.depth))
        #expect(try rejection(0, 0, Change(["del_max_depth": "17"])) == Self.lineage(.depth))
    }

    @Test("Holders may use other keys than their issuer, by the algorithms that it allows")
    func keys() throws {
        let key = Broker(key: try PrivateKey.generate(.ellipticCurve(.p256)), algorithm: .es256)
        let cnf = Change(["cnf": #"{"jwk":\#(key.key.publicJWK(keyID: nil, algorithm: nil))}"#])
        let iss = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + key.key.publicKey.thumbprint.base64URL
        let tokens = try agents.chain(1, [0: cnf, 1: Change(["iss": "\"\(iss)\""], signer: key)])
        #expect(try verdict(tokens).rejection == nil)
        let narrower = try agents.table(algorithms: [.ed25519])
        #expect(try verdict(tokens, narrower).rejection == Self.lineage(.signature, 1))
        let named = Change(["cnf": #"{"jwk":\#(key.key.publicJWK(keyID: nil, algorithm: .es256))}"#])
        #expect(
            try verdict(agents.chain(1, [0: named, 1: Change(["iss": "\"\(iss)\""], signer: key)])).rejection == nil)
    }

    // MARK: One thing wrong

    /// What a token of its kind may not say of itself, with what is said of it alone.
    private static let claimRules: [(Change, RegisteredClaim, isMissing: Bool)] = [
        (Change(["jti": nil]), .tokenID, true), (Change(["jti": "7"]), .tokenID, false),
        (Change(["jti": #""""#]), .tokenID, false), (Change(["iat": nil]), .issuedAt, true),
        (Change(["iat": "1800000000.5"]), .issuedAt, false), (Change(["exp": nil]), .expiry, true),
        (Change(["exp": "1.8e9"]), .expiry, false), (Change(["exp": #""1800000300""#]), .expiry, false),
        (Change(["nbf": #""soon""#]), .notBefore, false), (Change(["cnf": nil]), .confirmation, true),
        (Change(["cnf": "{}"]), .confirmation, false),
        (Change(["cnf": #"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#]), .confirmation, false),
        (Change(["cnf": #"{"jwk":{"kty":"oct","k":"AAAA"}}"#]), .confirmation, false),
        (Change(["del_depth": nil]), .delegationDepth, true), (Change(["del_depth": "-1"]), .delegationDepth, false),
        (Change(["del_depth": "false"]), .delegationDepth, false),
        (Change(["del_depth": "0.0"]), .delegationDepth, false),
        (Change(["del_max_depth": nil]), .delegationMaximumDepth, true),
        (Change(["del_max_depth": #""3""#]), .delegationMaximumDepth, false),
        (Change(["par_hash": #""AAAA""#]), .parentHash, false),
        (Change(["authorization_details": nil]), .authorizationDetails, true),
        (Change(["authorization_details": "{}"]), .authorizationDetails, false),
        (
            Change(["authorization_details": Delegators.details(#"{"a":{"x":{"constraint_type":"regex"}}}"#)]),
            .authorizationDetails, false
        ),
    ]

    @Test("A claim that is missing or malformed refuses a root by its name, and any other token by its form")
    func claimRules() throws {
        for (change, claim, isMissing) in Self.claimRules {
            let rejection: TokenRejection = isMissing ? .missing(claim) : .invalid(claim)
            #expect(try self.rejection(0, 0, change) == rejection, "\(change.claims)")
            #expect(try self.rejection(2, 0, change) == rejection, "\(change.claims)")
            for place in [1, 2] {
                #expect(try self.rejection(2, place, change) == Self.lineage(.form, place), "\(change.claims)")
            }
        }
    }

    @Test("A root is refused by what only a root must be")
    func rootRules() throws {
        for last in [0, 1] {
            #expect(try rejection(last, 0, Change(["del_depth": "1"])) == .invalid(.delegationDepth))
            let hash = "\"\(String(repeating: "A", count: 43))\""
            #expect(try rejection(last, 0, Change(["par_hash": hash])) == .invalid(.parentHash))
            #expect(try rejection(last, 0, Change(["authorization_details": "[]"])) == .missing(.authorizationDetails))
            #expect(try rejection(last, 0, Change(["iss": #""https://other.example.test""#])) == .issuer)
            #expect(try rejection(last, 0, Change(["iss": "\"\(agents.name(5))\""])) == Self.lineage(.missingLink, 0))
            #expect(try rejection(last, 0, Change(header: ["alg": #""none""#])) == .jws(.algorithm))
            #expect(try rejection(last, 0, Change(header: ["crit": #"["x"]"#])) == .jws(.critical))
            #expect(try rejection(last, 0, Change(signer: agents.holders[4])) == .jws(.signature))
        }
        // By itself it says that it is another kind of token; as the first of a chain it belongs to none.
        for type in [nil, #""JWT""#, #""at+jwt""#, #""aat-pop+jwt""#] as [String?] {
            #expect(try rejection(0, 0, Change(header: ["typ": type])) == .type)
            #expect(try rejection(1, 0, Change(header: ["typ": type])) == .type)
            #expect(try rejection(1, 1, Change(header: ["typ": type])) == .chainUnexpected)
            #expect(try rejection(2, 1, Change(header: ["typ": type])) == Self.lineage(.form, 1))
        }
    }

    @Test("A step is refused by the rule that it breaks, wherever it is")
    func steps() throws {
        let changes: [(Change, LineageFault.Kind)] = [
            (Change(["iss": "\"\(agents.name(9))\""]), .missingLink), (Change(["iss": nil]), .missingLink),
            (Change(["iss": "\"\(Broker.issuer)\""]), .missingLink), (Change(signer: agents.holders[9]), .signature),
            (Change(signer: agents.issuer), .signature),
            (Change(["par_hash": nil]), .parentHash),
            (Change(["par_hash": "\"\(String(repeating: "A", count: 43))\""]), .parentHash),
            (Change(["del_depth": "0"]), .depth), (Change(["del_depth": "4"]), .depth),
            (Change(["del_max_depth": "0"]), .depth), (Change(["exp": "1800000301"]), .outlivesParent),
            (Change(["iat": "1799999999"]), .order), (Change(["jti": #""t-0""#]), .cycle),
            (Change(["authorization_details": Delegators.details(#"{"write:orders":{}}"#)]), .capability),
            (Change(["act": #"{"sub":"a"}"#]), .form), (Change(["delegation_chain": "[{}]"]), .form),
        ]
        for (change, kind) in changes {
            for place in [1, 2, 3] {
                #expect(try rejection(3, place, change) == Self.lineage(kind, place), "\(change.claims) at \(place)")
            }
        }
        let critical = Change(header: ["crit": #"["x"]"#])
        for place in [1, 2] { #expect(try rejection(3, place, critical) == Self.lineage(.form, place)) }
        #expect(try rejection(3, 3, critical) == .jws(.critical))
    }

    @Test("The depth that one holder allows, the next may lower and not raise")
    func depths() throws {
        func rejection(_ depths: String...) throws -> TokenRejection? {
            let changes = depths.enumerated().map { ($0, Change(["del_max_depth": $1])) }
            return try verdict(agents.chain(depths.count - 1, Dictionary(uniqueKeysWithValues: changes))).rejection
        }
        #expect(try rejection("2", "2", "2") == nil)
        #expect(try rejection("3", "2", "2") == nil)
        #expect(try rejection("2", "3", "3") == Self.lineage(.depth, 1))
        #expect(try rejection("1", "1", "2") == Self.lineage(.depth, 2))
        #expect(try rejection("3", "1", "1") == Self.lineage(.depth, 2))
        #expect(try rejection("0", "1") == Self.lineage(.depth, 1))
    }

    @Test("A list that a holder took away stays away, and who has none cannot call")
    func noCapabilities() throws {
        let none = Change(["authorization_details": "[]"])
        #expect(try verdict(agents.chain(1, [1: none])).rejection == .missing(.authorizationDetails))
        #expect(try verdict(agents.chain(2, [1: none])).rejection == Self.lineage(.capability, 2))
        let empty = Change(["authorization_details": Delegators.details("{}")])
        #expect(try verdict(agents.chain(2, [1: none, 2: empty])).get().capabilities == AttenuatingCapabilities.none)
    }

    @Test("Every token that names audiences must name us, and one of them must")
    func audiences() throws {
        let other = Change(["aud": #""https://elsewhere.example.test""#])
        let ours = Change(["aud": #"["https://elsewhere.example.test","https://localhost:8443"]"#])
        let none = Change(["aud": nil])
        #expect(try verdict(agents.chain(2, [0: none])).rejection == .missing(.audience))
        #expect(try verdict(agents.chain(2, [0: none, 1: ours])).rejection == nil)
        #expect(try verdict(agents.chain(2, [0: none, 2: ours])).rejection == nil)
        for place in 0...2 { #expect(try verdict(agents.chain(2, [place: other])).rejection == .audience) }
        #expect(try verdict(agents.chain(0, [0: none])).rejection == .missing(.audience))
    }

    @Test("A lifetime that is none, or longer than the issuer may let it be, is refused in every token")
    func lifetimes() throws {
        let long = Change(["iat": "1799996000", "exp": "1799999999"])
        for place in 0...1 { #expect(try rejection(1, place, long) == .lifetime) }
        #expect(try rejection(0, 0, Change(["exp": "1800000000"])) == .lifetime)
    }

    @Test("The time of the last token counts, and a time before which any of them is not to be used")
    func times() throws {
        let tokens = try agents.chain(2)
        #expect(try verdict(tokens, at: UnixTime(seconds: 1_800_000_327)).rejection == nil)
        #expect(try verdict(tokens, at: UnixTime(seconds: 1_800_000_328)).rejection == .expired)
        #expect(try verdict(tokens, at: UnixTime(seconds: 1_799_999_971)).rejection == .issuedInFuture)
        #expect(try verdict(tokens, at: UnixTime(seconds: 1_799_999_972)).rejection == nil)
        for place in 0...2 {
            let later = try agents.chain(2, [place: Change(["nbf": "1800000100"])])
            #expect(try verdict(later).rejection == .notYetValid)
            #expect(try verdict(later, at: UnixTime(seconds: 1_800_000_100)).rejection == nil)
        }
    }

    @Test("What the issuer said of the task and of who answers for it is repeated or left out, never changed or added")
    func purpose() throws {
        let names: [(String, RegisteredClaim)] = [
            ("sponsor", .sponsor), ("task_id", .task), ("orchestration_id", .orchestration),
        ]
        for (name, claim) in names {
            let (original, other) = (Change([name: #""a""#]), Change([name: #""b""#]))
            #expect(try verdict(agents.chain(2, [0: original, 2: original])).rejection == nil)
            #expect(try verdict(agents.chain(2, [0: original, 2: other])).rejection == .invalid(claim))
            #expect(try verdict(agents.chain(2, [0: original, 1: other])).rejection == .invalid(claim))
            #expect(try verdict(agents.chain(2, [1: original])).rejection == .invalid(claim))
        }
    }

    @Test("A claim that routes ask for counts where everybody in the chain repeats it")
    func retained() throws {
        let table = try agents.table(retainedClaims: ["model"])
        let (one, other) = (Change(["model": #""m-1""#]), Change(["model": #""m-2""#]))
        func model(_ last: Int, _ changes: [Int: Change]) throws -> ClaimValue? {
            try verdict(agents.chain(last, changes), table).get().retained["model"]
        }
        #expect(try model(0, [0: one]) == .text("m-1"))
        #expect(try model(1, [0: one, 1: one]) == .text("m-1"))
        #expect(try model(1, [0: one]) == nil)
        #expect(try model(1, [1: one]) == nil)
        #expect(try model(1, [0: one, 1: other]) == nil)
    }

    @Test("How the human was authenticated only the issuer can say")
    func authentication() throws {
        let said = Change(["acr": #""high""#, "auth_time": "1800000000"])
        let first = try verdict(agents.chain(1, [0: said])).get()
        #expect(first.authenticationContext == "high" && first.authenticatedAt == UnixTime(seconds: 1_800_000_000))
        let second = try verdict(agents.chain(1, [1: said])).get()
        #expect(second.authenticationContext == nil && second.authenticatedAt == nil)
    }

    // MARK: The list of tokens

    @Test("A chain out of order, with a gap, with too much or with nothing in a place is refused")
    func arrangement() throws {
        let tokens = try agents.chain(3)
        func rejection(_ places: [Int]) throws -> TokenRejection? {
            try verdict(leaf: tokens[3], after: places.map { tokens[$0] }.listed).rejection
        }
        #expect(try rejection([0, 1, 2]) == nil)
        #expect(try rejection([0, 2]) == Self.lineage(.missingLink, 1))
        #expect(try rejection([0, 1]) == Self.lineage(.missingLink, 2))
        #expect(try rejection([1, 2]) == Self.lineage(.missingLink, 0))
        #expect(try rejection([0, 2, 1]) == Self.lineage(.missingLink, 1))
        #expect(try rejection([0, 1, 2, 3]) == Self.lineage(.missingLink, 4))
        #expect(try rejection([0, 1, 1, 2]) == Self.lineage(.missingLink, 2))
        #expect(try rejection([]) == Self.lineage(.missingLink, 0))
    }

    @Test("Commas divide the tokens, with or without white space, and nothing else does")
    func list() throws {
        let tokens = try agents.chain(2)
        let (first, second) = (tokens[0], tokens[1])
        func rejection(_ chain: [UInt8]) throws -> TokenRejection? {
            try verdict(leaf: tokens[2], after: chain).rejection
        }
        for separator in [",", ", ", " ,\t"] { #expect(try rejection(first + Array(separator.utf8) + second) == nil) }
        #expect(try rejection(first + Array(", , ".utf8) + second) == Self.lineage(.form, 1))
        #expect(try rejection(first + Array(",".utf8) + second + Array(",".utf8)) == Self.lineage(.form, 2))
        #expect(try rejection(Array(",".utf8) + first + Array(",".utf8) + second) == Self.lineage(.form, 0))
        #expect(try rejection(first + Array(" ".utf8) + second) == .jws(.encrypted))
        #expect(try rejection(first + Array(",a.b".utf8)) == Self.lineage(.form, 1))
        #expect(try rejection(first) == Self.lineage(.missingLink, 1))
    }

    @Test("A chain of one issuer's key does not pass as another's")
    func parents() throws {
        // The same holder has two tokens that could both be the parent.
        let other = try agents.chain(0, [0: Change(["jti": #""t-9""#])])
        let tokens = try agents.chain(1)
        #expect(try verdict(leaf: tokens[1], after: other.listed).rejection == Self.lineage(.parentHash, 1))
        // The hash is of what is signed, not of the whole token nor of its payload.
        let parent = tokens[0]
        let whole = try CryptographicEngine().sha256(parent.span).base64URL
        #expect(try rejection(1, 1, Change(["par_hash": "\"\(whole)\""])) == Self.lineage(.parentHash, 1))
    }

    @Test("A changed byte anywhere in a chain refuses it")
    func bytes() throws {
        let tokens = try agents.chain(1)
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
        let table = try agents.table()
        #expect(try verdict(tokens, table, by: verifier).rejection == nil)
        for index in tokens[0].indices {
            var changed = tokens
            changed[0][index] ^= 1
            #expect(try verdict(changed, table, by: verifier).rejection != nil, "byte \(index)")
        }
    }

    // MARK: Other tokens

    @Test("A chain beside a token of another kind is refused, and so are the kinds as each other")
    func kinds() throws {
        let broker = try Broker.standard()
        let table = try broker.table()
        let token = try broker.token()
        #expect(try verdict(leaf: token, after: [], table).rejection == nil)
        #expect(try verdict(leaf: token, after: agents.chain(0).listed, table).rejection == .chainUnexpected)
        #expect(try verdict(leaf: Array("opaque".utf8), after: agents.chain(0).listed).rejection == .chainUnexpected)
        // The issuer's name is that of an issuer of access tokens.
        #expect(try verdict(agents.chain(0), table).rejection == .type)
        #expect(try verdict(agents.chain(1), table).rejection == .profile)
        #expect(try verdict(leaf: token, after: []).rejection == .type)
    }

    @Test("A derived token without its chain tells that the chain is missing")
    func withoutChain() throws {
        let tokens = try agents.chain(1)
        #expect(try verdict(leaf: tokens[1], after: []).rejection == Self.lineage(.missingLink, 0))
    }

    // MARK: What passes

    private static let maps = [
        "{}", #"{"identifier":{"constraint_type":"wildcard"}}"#,
        #"{"identifier":{"constraint_type":"one_of","values":["7","8","9"]}}"#,
        #"{"identifier":{"constraint_type":"one_of","values":["7","8"]}}"#,
        #"{"identifier":{"constraint_type":"exact","value":"7"}}"#,
        #"{"identifier":{"constraint_type":"not_one_of","excluded":["9"]}}"#,
        #"{"identifier":{"constraint_type":"not_one_of","excluded":["8","9"]}}"#,
        #"{"identifier":{"constraint_type":"exact","value":"9","optional":true}}"#,
        #"{"identifier":{"constraint_type":"wildcard"},"*":{"constraint_type":"wildcard"}}"#,
    ]

    @Test(
        "No chain that is accepted lets a call through that its root refuses", arguments: 1...3 as ClosedRange<UInt64>)
    func attenuation(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 0)
        let table = try agents.table()
        let calls = ["read:orders", "write:orders"].flatMap { tool in
            ["7", "8", "9", "*", nil].compactMap { identifier in
                let parts = tool.split(separator: ":").map { Array($0.utf8) }
                return AttenuatingCall(
                    action: parts[0], resource: parts[1], identifier: identifier.map { Array($0.utf8) })
            }
        }
        var (accepted, refused, allowed) = (0, 0, 0)
        for _ in 0..<150 {
            let last = Int.random(in: 1...3, using: &random)
            var held = ["read:orders": 0, "write:orders": 0]
            var changes: [(Int, Change)] = []
            for place in 0...last {
                // Mostly a part of what was held before, as it was or with another map.
                for (tool, map) in held.sorted(by: { $0.key < $1.key }) {
                    let isChanged = Int.random(in: 0..<(place == 0 ? 1 : 3), using: &random) == 0
                    held[tool] = isChanged ? Self.maps.indices.randomElement(using: &random) : map
                    if Int.random(in: 0..<8, using: &random) == 0 { held[tool] = nil }
                }
                let list = held.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\(Self.maps[$0.value])" }
                let details = Delegators.details("{" + list.joined(separator: ",") + "}")
                changes.append((place, Change(["authorization_details": details])))
            }
            let tokens = try agents.chain(last, Dictionary(uniqueKeysWithValues: changes))
            let root = try #require(try verdict([tokens[0]], table, by: verifier).get().capabilities)
            guard let leaf = try? verdict(tokens, table, by: verifier).get().capabilities else {
                refused += 1
                continue
            }
            accepted += 1
            for call in calls where leaf.allow(call) {
                allowed += 1
                #expect(root.allow(call), "\(call) passes \(leaf) and not \(root)")
            }
        }
        #expect(accepted > 15 && refused > 15 && allowed > 15)
    }

    // MARK: What is remembered

    @Test("A token is remembered with its chain and with no other")
    func cache() throws {
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
        let table = try agents.table()
        let tokens = try agents.chain(2)
        let first = try verdict(tokens, table, by: verifier).get()
        #expect(try verdict(tokens, table, by: verifier).get() === first)
        #expect(verifier.cachedTokenCount == 1)
        #expect(try verdict(leaf: tokens[2], after: [], table, by: verifier).rejection != nil)
        #expect(try verdict(leaf: tokens[2], after: [tokens[0]].listed, table, by: verifier).rejection != nil)
        // The token in the middle, by its own holder.
        #expect(try verdict(Array(tokens.dropLast()), table, by: verifier).get().subject == agents.name(1))
        #expect(verifier.cachedTokenCount == 2)
        #expect(
            try verdict(tokens, table, by: verifier, at: UnixTime(seconds: 1_800_000_328)).rejection == .expired)
        #expect(verifier.cachedTokenCount == 1)
    }

    @Test("Tokens that holders make take each other's place, and not that of those which an issuer made")
    func flood() throws {
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
        let table = try agents.table()
        let root = try agents.chain(0)
        let first = try verdict(root, table, by: verifier).get()
        for number in 0..<20 {
            _ = try verdict(agents.chain(1, [1: Change(["jti": "\"n-\(number)\""])]), table, by: verifier).get()
        }
        #expect(verifier.cachedTokenCount == 9)
        #expect(try verdict(root, table, by: verifier).get() === first)
    }

    @Test("A chain whose issuer's keys are not known asks for the key of its first token")
    func keysMissing() throws {
        let source = KeySource.url(KeySetLocation(url: "https://broker.example.test/jwks"))
        let missing = try agents.table(keySource: source, keys: KeySet.none)
        let tokens = try agents.chain(
            1, [0: Change(header: ["kid": #""root-key""#]), 1: Change(header: ["kid": #""x""#])])
        #expect(try verdict(tokens, missing).rejection == .keysMissing(issuer: 0))
        let unknown = try agents.table(keySource: source)
        #expect(try verdict(tokens, unknown).rejection == .keyUnknown(issuer: 0))
        let (root, leaf, chain) = (tokens[0], tokens[1], [tokens[0]].listed)
        let (named, alone) = (
            TokenVerifier.keyID(of: leaf.span, after: chain.span), TokenVerifier.keyID(of: root.span)
        )
        #expect(named == "root-key" && alone == "root-key")
    }
}
