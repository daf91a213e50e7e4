import Bytes
import Delegation
import HTTP
import Possession
import Testing
import Tokens

@testable import Policy

@Suite("What a route asks for")
struct RouteTests {
    private func judge(
        _ route: Route, _ claims: TokenClaims, _ methods: PossessionMethods = .certificate,
        at path: String = "/orders/42"
    ) throws -> Result<ScopeGrant?, PolicyDenial> {
        let target = try Trial.target(path)
        do throws(PolicyDenial) {
            return .success(try route.judge(claims, possession: methods, at: target, now: UnixTime(seconds: 1000)))
        } catch {
            return .failure(error)
        }
    }

    @Test("A token of a listed issuer, with a listed proof and a grant, may pass, and the grant is named")
    func allowed() throws {
        let route = try Trial.route("/orders/{id}", scope: "read:orders:{id}")
        let claims = Trial.claims(scopes: ["write:orders:42", "openid", "read:orders:42", "read:orders:*"])
        #expect(try judge(route, claims).get()?.text == "read:orders:42")
    }

    @Test("A route without a scope asks for none")
    func withoutScope() throws {
        let result = try judge(Trial.route("/orders/{id}"), Trial.claims())
        #expect(result == .success(nil))
    }

    @Test(
        "No grant, or none that covers, is insufficient scope",
        arguments: [
            [], ["read:orders:43"], ["write:orders:42"], ["read:orders"], ["*"], ["read", "orders", "42"],
        ])
    func scope(scopes: [String]) throws {
        let route = try Trial.route("/orders/{id}", scope: "read:orders:{id}")
        #expect(try judge(route, Trial.claims(scopes: scopes)) == .failure(.scope))
    }

    @Test(
        "Only listed issuers, by their bytes",
        arguments: [
            ([Trial.issuer], Trial.issuer, true), (["https://other", Trial.issuer], Trial.issuer, true),
            ([], Trial.issuer, false),
            ([Trial.issuer], "https://broker.example.test/", false),
            ([Trial.issuer], "https://BROKER.example.test", false),
            (["https://caf\u{e9}"], "https://cafe\u{301}", false),
        ])
    func issuers(issuers: [String], issuer: String, isAllowed: Bool) throws {
        let result = try judge(Trial.route("/orders/{id}", issuers: issuers), Trial.claims(issuer: issuer))
        #expect(result == (isAllowed ? .success(nil) : .failure(.issuer)))
    }

    @Test(
        "One listed proof is enough, others do not count",
        arguments: [
            ([.certificate], .certificate, true), ([.certificate], .svid, false), ([.svid], .svid, true),
            ([.certificate, .dpop], .dpop, true), ([.dpop, .wpt], [.certificate, .svid], false),
            ([], .certificate, false),
            ([.certificate], [], false), ([.certificate], [.svid, .certificate], true),
        ] as [(Set<PossessionMethod>, PossessionMethods, Bool)])
    func possession(listed: Set<PossessionMethod>, held: PossessionMethods, isAllowed: Bool) throws {
        let result = try judge(Trial.route("/orders/{id}", possession: listed), Trial.claims(), held)
        #expect(result == (isAllowed ? .success(nil) : .failure(.possession)))
    }

    @Test("A token that was not delegated passes where none may be; and where less than nothing may be, none does")
    func delegation() throws {
        #expect(try judge(Trial.route("/orders/{id}", depth: 0), Trial.claims()) == .success(nil))
        #expect(try judge(Trial.route("/orders/{id}", depth: -1), Trial.claims()) == .failure(.delegation))
    }

    @Test("The first condition that fails is the one that is told")
    func order() throws {
        func denial(
            issuers: [String], possession: Set<PossessionMethod>, depth: Int, path: String
        ) throws -> PolicyDenial? {
            let route = try Trial.route(
                "/orders/{id}", scope: "read:orders:{id}", issuers: issuers, possession: possession, depth: depth)
            if case .failure(let denial) = try judge(route, Trial.claims(), at: path) { return denial }
            return nil
        }
        #expect(try denial(issuers: [], possession: [], depth: -1, path: "/elsewhere") == .route)
        #expect(try denial(issuers: [], possession: [], depth: -1, path: "/orders/1") == .issuer)
        #expect(try denial(issuers: [Trial.issuer], possession: [], depth: -1, path: "/orders/1") == .possession)
        #expect(
            try denial(issuers: [Trial.issuer], possession: [.certificate], depth: -1, path: "/orders/1") == .delegation
        )
        #expect(try denial(issuers: [Trial.issuer], possession: [.certificate], depth: 0, path: "/orders/1") == .scope)
    }

    // MARK: Composite identity

    @Test("Every claim that the route asks for must hold; the first that does not is named")
    func claims() throws {
        let route = try Trial.route(
            "/orders/{id}",
            claims: [
                ClaimRule(name: "model", condition: .oneOf([.text("m-1")])),
                ClaimRule(name: "attestation", condition: .prefix("tdx:")),
            ])
        func denial(_ retained: [String: ClaimValue]) throws -> PolicyDenial? {
            if case .failure(let denial) = try judge(route, Trial.claims(retained: retained)) { return denial }
            return nil
        }
        #expect(try denial(["model": .text("m-1"), "attestation": .text("tdx:1")]) == nil)
        #expect(try denial(["model": .text("m-2"), "attestation": .text("tdx:1")]) == .claim("model"))
        #expect(try denial(["model": .text("m-1"), "attestation": .text("sgx:1")]) == .claim("attestation"))
        #expect(try denial(["model": .text("m-1")]) == .claim("attestation"))
        #expect(try denial([:]) == .claim("model"))
        #expect(PolicyDenial.claim("model").reason == "policy.claim.model")
    }

    @Test("A route that asks for a sponsor takes no token without one")
    func sponsor() throws {
        let route = try Trial.route("/orders/{id}", sponsor: true)
        #expect(try judge(route, Trial.claims(sponsor: "Zoë")) == .success(nil))
        #expect(try judge(route, Trial.claims()) == .failure(.sponsor))
        #expect(try judge(Trial.route("/orders/{id}"), Trial.claims()) == .success(nil))
    }

    // MARK: Step-up (RFC 9470)

    @Test(
        "The token must name one of the ways of authentication, by its bytes",
        arguments: [
            (["a", "b"], "a", true), (["a", "b"], "b", true), (["a", "b"], "c", false), (["a"], nil, false),
            (["a"], "A", false), ([], nil, true), ([], "c", true),
        ] as [([String], String?, Bool)])
    func contexts(wanted: [String], actual: String?, isAllowed: Bool) throws {
        let result = try judge(Trial.route("/orders/{id}", contexts: wanted), Trial.claims(context: actual))
        #expect(result == (isAllowed ? .success(nil) : .failure(.stepUp)))
    }

    @Test(
        "The human was authenticated lately enough, and the token says so",
        arguments: [(1000, true), (940, true), (939, false), (0, false), (nil, false), (1001, true)] as [(Int64?, Bool)]
    )
    func ages(authenticatedAt: Int64?, isAllowed: Bool) throws {
        let route = try Trial.route("/orders/{id}", age: .seconds(60))
        let claims = Trial.claims(authenticatedAt: authenticatedAt.map { UnixTime(seconds: $0) })
        #expect(try judge(route, claims) == (isAllowed ? .success(nil) : .failure(.stepUp)))
        #expect(try judge(Trial.route("/orders/{id}"), claims) == .success(nil))
    }

    @Test("Who may not pass anyway is not asked to authenticate anew")
    func stepUpIsLast() throws {
        let route = try Trial.route(
            "/orders/{id}", scope: "read:orders:{id}",
            claims: [ClaimRule(name: "model", condition: .oneOf([.text("m-1")]))], sponsor: true, contexts: ["a"])
        let model: [String: ClaimValue] = ["model": .text("m-1")]
        let scopes = ["read:orders:*"]
        #expect(try judge(route, Trial.claims()) == .failure(.sponsor))
        #expect(try judge(route, Trial.claims(sponsor: "Zoë")) == .failure(.claim("model")))
        #expect(try judge(route, Trial.claims(sponsor: "Zoë", retained: model)) == .failure(.scope))
        #expect(try judge(route, Trial.claims(scopes: scopes, sponsor: "Zoë", retained: model)) == .failure(.stepUp))
        let whole = Trial.claims(scopes: scopes, sponsor: "Zoë", context: "a", retained: model)
        #expect(try judge(route, whole).get()?.text == "read:orders:*")
    }

    @Test("Every denial has its own reason, stable and dotted")
    func reasons() {
        let denials: [PolicyDenial] = [
            .claim("a"), .claim("b"), .delegation, .issuer, .possession, .route, .scope, .sponsor, .stepUp,
        ]
        #expect(Set(denials.map(\.reason)).count == denials.count)
        #expect(denials.allSatisfy { $0.reason.hasPrefix("policy.") })
    }

    @Test("Only a missing scope is answered as such")
    func codes() {
        #expect(PolicyDenial.scope.code == "insufficient-scope")
        #expect(PolicyDenial.stepUp.code == "insufficient-authentication" && PolicyDenial.stepUp.isStepUp)
        for denial in [PolicyDenial.issuer, .possession, .delegation, .route, .sponsor, .claim("a")] {
            #expect(denial.code == "policy" && !denial.isStepUp)
        }
    }

    @Test("A route says whether it takes a subject for a confirmation")
    func svid() throws {
        #expect(try Trial.route("/", possession: [.svid, .certificate]).possessionRule.svidServesAsConfirmation)
        #expect(try !Trial.route("/", possession: [.certificate]).possessionRule.svidServesAsConfirmation)
    }

    @Test("A scope that was read for another path is a mistake of the program")
    func foreignScope() async {
        await #expect(processExitsWith: .failure) {
            let scope = try ScopeTemplate("read:orders:{nr}", parameters: ["nr"])
            _ = Route(
                name: "x", match: RouteMatch(methods: [], host: nil, path: try PathPattern("/{id}")),
                requirement: RouteRequirement(
                    issuers: [], possession: [], scope: scope, maximumDelegationDepth: 0, allowsSubjectMismatch: false),
                forwarding: ForwardingRule(authorization: .strip, clientCertificate: false), upstream: "u")
        }
    }
}
