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
            return .success(try route.judge(claims, possession: methods, at: target))
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

    @Test("Only a missing scope is answered as such")
    func codes() {
        #expect(PolicyDenial.scope.code == "insufficient-scope")
        for denial in [PolicyDenial.issuer, .possession, .delegation, .route] { #expect(denial.code == "policy") }
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
