import Bytes
import HTTP
import JSON
import Policy
import Possession
import Testing

@testable import Exchange

@Suite("The answer to a denied call")
struct ProblemTests {
    private struct Answer {
        var status: UInt16 = 0
        var framing = BodyFraming.none
        var lines: [String] = []
        var body: [UInt8] = []

        /// The members of the body, each value as written; the parser refuses a name that comes twice.
        func members() throws -> [String: String] {
            let document = try JSONDocument(body.span)
            var read = document.root.members
            var members: [String: String] = [:]
            while let member = read.next() { members[text(member.name)] = text(member.value.raw) }
            return members
        }

        func values(_ name: String) -> [String] {
            lines.filter { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }
    }

    private func answer(_ denial: Denial, _ change: (inout Exchange) -> Void = { _ in }) -> Answer {
        var exchange = Trial.exchange("GET", "/secret?q=hidden", [("Authorization", "Bearer hidden")])
        change(&exchange)
        var head = ResponseHead()
        var body = ByteQueue()
        head.fields.append(.server, value: "what was there before".utf8.span)
        body.append("what was there before")
        exchange.fill(&head, &body, denial: denial, proofAlgorithms: "ES256 Ed25519")
        return Answer(
            status: head.status, framing: head.framing, lines: lines(head.fields),
            body: body.withReadable { Array(copying: $0) })
    }

    private static let statuses: [ProblemCode: UInt16] = [
        .malformedRequest: 400, .invalidRequest: 400, .credentialsMissing: 401, .invalidToken: 401, .invalidProof: 401,
        .nonceRequired: 401, .insufficientAuthentication: 401, .invalidWorkloadToken: 400, .insufficientScope: 403,
        .policy: 403, .noRoute: 404,
        .misdirected: 421, .tooLarge: 413, .rateLimited: 429, .upstreamFailed: 502, .upstreamTimeout: 504,
        .unavailable: 503,
    ]

    @Test(
        "The body is problem details: type, title, status and instance, and nothing else",
        arguments: ProblemCode.allCases)
    func body(code: ProblemCode) throws {
        let answer = answer(Denial(code, "a.reason", scope: "a:b:c"))
        let members = try answer.members()
        #expect(members.count == 4)
        #expect(members["type"] == "\"urn:sallyport:\(code.rawValue)\"")
        #expect(members["title"] == "\"\(code.title)\"")
        #expect(members["status"] == Self.statuses[code].map { "\($0)" })
        #expect(members["instance"] == "\"\(Trial.identifierText)\"")
        #expect(answer.status == Self.statuses[code])
        #expect(answer.framing == .length(UInt64(answer.body.count)))
        #expect(answer.values("content-type") == ["application/problem+json"])
        #expect(answer.values("x-request-id") == [Trial.identifierText])
        #expect(answer.values("server") == [])
        let all = answer.lines.joined() + text(answer.body.span)
        #expect(!all.contains("hidden") && !all.contains("secret") && !all.contains("a.reason"))
    }

    @Test("A status that is said goes before that of the code")
    func status() throws {
        let answer = answer(Denial(.tooLarge, "limit.token-bytes", status: 431))
        #expect(answer.status == 431)
        #expect(try answer.members()["status"] == "431")
    }

    @Test("D18: A 401 always has a challenge, and no error where nothing was presented")
    func challenges() {
        let bearer = "Bearer realm=\"sallyport\""
        let algorithms = "algs=\"ES256 Ed25519\""
        let expected: [ProblemCode: [String]] = [
            .invalidRequest: [bearer + ", error=\"invalid_request\"", "DPoP error=\"invalid_request\", \(algorithms)"],
            .credentialsMissing: [bearer], .invalidToken: [bearer + ", error=\"invalid_token\""],
            .invalidProof: ["DPoP error=\"invalid_dpop_proof\", \(algorithms)"],
            .nonceRequired: ["DPoP error=\"use_dpop_nonce\", \(algorithms)"],
            .insufficientScope: [bearer + ", error=\"insufficient_scope\""],
            .policy: [bearer + ", error=\"insufficient_scope\""],
            .insufficientAuthentication: [bearer + ", error=\"insufficient_user_authentication\""],
        ]
        for code in ProblemCode.allCases {
            #expect(answer(Denial(code, "")).values("www-authenticate") == expected[code] ?? [], "\(code)")
        }
    }

    @Test("D18: The error goes to the scheme that was used; the other is named where the route takes it")
    func schemes() throws {
        let algorithms = "algs=\"ES256 Ed25519\""
        let bearer = "Bearer realm=\"sallyport\""
        func challenges(
            _ code: ProblemCode, _ possession: Set<PossessionMethod>, _ scheme: AuthorizationScheme?
        ) throws -> [String] {
            let route = try Trial.route(possession: possession)
            return answer(Denial(code, "")) { ($0.route, $0.scheme) = (route, scheme) }.values("www-authenticate")
        }
        #expect(try challenges(.credentialsMissing, [.dpop], nil) == ["DPoP \(algorithms)"])
        #expect(try challenges(.credentialsMissing, [.dpop, .svid], nil) == [bearer, "DPoP \(algorithms)"])
        #expect(try challenges(.credentialsMissing, [.certificate], nil) == [bearer])
        let error = "error=\"invalid_token\""
        #expect(try challenges(.invalidToken, [.dpop], .dpop) == ["DPoP \(error), \(algorithms)"])
        #expect(
            try challenges(.invalidToken, [.dpop, .certificate], .dpop) == ["DPoP \(error), \(algorithms)", bearer])
        #expect(
            try challenges(.invalidToken, [.dpop, .certificate], .bearer)
                == ["\(bearer), \(error)", "DPoP \(algorithms)"])
        #expect(try challenges(.policy, [.dpop], .dpop) == ["DPoP error=\"insufficient_scope\", \(algorithms)"])
    }

    @Test("A challenge names where the rest is to be found (RFC 9728 §5.1)")
    func metadata() {
        let rules = try? ListenerRules(Trial.standard().listener(origins: ["https://a.test"]))
        let answer = answer(Denial(.credentialsMissing, "")) {
            $0.origin = rules?.origin(authority: "a.test".utf8.span, serverName: nil, certificate: 0)
        }
        let url = "https://a.test/.well-known/oauth-protected-resource"
        #expect(answer.values("www-authenticate") == ["Bearer realm=\"sallyport\", resource_metadata=\"\(url)\""])
    }

    @Test("D10: A fresh nonce goes out in an answer that nobody may store")
    func nonce() {
        let answer = answer(Denial(.nonceRequired, "")) { $0.freshNonce = "abc" }
        #expect(answer.values("dpop-nonce") == ["abc"])
        #expect(answer.values("cache-control") == ["no-store"])
        #expect(self.answer(Denial(.nonceRequired, "")).values("cache-control") == [])
    }

    @Test("The challenge names the scope that is missing, where that can be quoted")
    func scope() {
        let start = "Bearer realm=\"sallyport\", error=\"insufficient_scope\""
        for scope in ["read:orders:7", "read:orders:%20", "!#[]^~"] {
            let answer = answer(Denial(.insufficientScope, "", scope: scope))
            #expect(answer.values("www-authenticate") == [start + ", scope=\"\(scope)\""])
        }
        for scope in ["", "a\"b", "a\\b", "a\u{7F}", "a\r\nb", "ø"] {
            #expect(answer(Denial(.insufficientScope, "", scope: scope)).values("www-authenticate") == [start])
        }
    }

    @Test("Who comes too early or too often is told when to come back", arguments: ProblemCode.allCases)
    func retryAfter(code: ProblemCode) {
        let mayComeBack = code == .unavailable || code == .rateLimited
        #expect(answer(Denial(code, "")).values("retry-after") == (mayComeBack ? ["1"] : []))
    }
}
