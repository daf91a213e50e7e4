import Bytes
import Configuration
import Cryptography
import Delegation
import HTTP
import Identity
import Policy
import Possession
import Revocation
import Support
import Testing
import Tokens

@testable import Exchange

@Suite("The gatekeeper")
struct GatekeeperTests {
    /// Everything that a decision depends on, allowed as it stands.
    private struct Call {
        var target = "/orders/7"
        var method = "GET"
        var authority = Trial.authority
        var namesPlainHTTP = false
        var fields: [(String, String)] = []
        var claims: [String: String?] = [:]
        var header: [String: String?] = [:]
        /// Instead of the standard one; nothing: the standard one.
        var authorization: String?
        var hasAuthorization = true
        var peer: VerifiedPeer?
        var serverName: String? = "localhost"
        var rules: ListenerRules?
        var route: Route?
        var revocations = RevocationSnapshot.empty
        var limits = Limits()
        var now = Broker.now
    }

    private struct Verdict: Equatable {
        var denial: Denial?
        var grant: String?
        var recorded: PossessionMethods = []
        var route: String?
        var tokenID: String?
    }

    private func judge(_ change: (inout Call) throws -> Void = { _ in }) throws -> Verdict {
        let trial = try Trial.standard()
        var call = Call()
        call.peer = trial.peer
        try change(&call)
        var fields = call.fields
        if call.hasAuthorization {
            fields.append(("Authorization", try call.authorization ?? "Bearer \(trial.token(call.claims))"))
        }
        var exchange = Trial.exchange(call.method, call.target, authority: call.authority, fields)
        exchange.request.namesPlainHTTP = call.namesPlainHTTP
        let connection = trial.connection(peer: call.peer, serverName: call.serverName, rules: call.rules)
        let snapshot = try trial.snapshot(call.route, revocations: call.revocations, limits: call.limits)
        var verdict = Verdict()
        do {
            let permit = try trial.judge(&exchange, from: connection, under: snapshot, at: call.now)
            verdict.grant = permit.grant?.text
        } catch let error as Denial {
            verdict.denial = error
        }
        verdict.recorded = exchange.possession
        verdict.route = exchange.route?.name
        verdict.tokenID = exchange.claims?.tokenID
        return verdict
    }

    private func denial(_ change: (inout Call) throws -> Void) throws -> Denial? { try judge(change).denial }

    @Test("A call that meets every condition is permitted, and what was established is kept for the record")
    func permitted() throws {
        let expected = Verdict(
            denial: nil, grant: "read:orders:7", recorded: .certificate, route: "read-order", tokenID: "t-1")
        #expect(try judge() == expected)
    }

    // MARK: The connection

    @Test(
        "M8: A certificate that expires on a live connection ends it, at the last moment of its validity and no sooner")
    func expiredCertificate() throws {
        let trial = try Trial.standard()
        let end = trial.peer.certificate.notAfter
        let expired = Denial(.invalidToken, "certificate.expired", closesConnection: true)
        let after = UnixTime(nanoseconds: end.nanoseconds + 1)
        #expect(try denial { $0.now = after } == expired)
        #expect(try denial { ($0.now, $0.target) = (after, "//") } == expired)
        // The token has expired by then, but the certificate has not.
        #expect(try denial { $0.now = end } == Denial(.invalidToken, "token.expired"))
        #expect(try denial { ($0.now, $0.peer) = (after, nil) } == Denial(.invalidToken, "token.expired"))
    }

    // MARK: 1. The target

    @Test(
        "33, 35: A target with more than one reading is refused, and the connection ends",
        arguments: [
            ("//orders/7", "malformed.target-empty-segment"), ("/orders%2F7", "malformed.target-encoded-separator"),
            ("/orders/..%5C7", "malformed.target-encoded-separator"), ("/../orders/7", "malformed.target-above-root"),
            ("/orders/%2e%2e/%2e%2e/7", "malformed.target-encoded-dot-segment"),
            ("/orders/7;x=1", "malformed.target-segment-parameter"),
            ("/orders/%00", "malformed.target-encoded-control"),
            ("/orders/%252F", "malformed.target-double-encoding"), ("/orders/7#x", "malformed.target-character"),
            ("/orders/%", "malformed.target-escape"), ("orders/7", "malformed.target-form"),
            ("*", "malformed.target-form"), ("", "malformed.target-form"),
            ("https://localhost:8443/orders/7", "malformed.target-form"),
        ])
    func target(target: String, reason: String) throws {
        let denial = try denial { $0.target = target }
        #expect(denial == Denial(.malformedRequest, reason, closesConnection: true))
    }

    @Test("4, 5: An authority that is not ours is misdirected, before anything else is looked at")
    func authority() throws {
        let misdirected = Denial(.misdirected, "target.authority")
        #expect(try denial { ($0.authority, $0.target) = ("localhost", "/nothing") } == misdirected)
        #expect(try denial { $0.authority = "evil.test" } == misdirected)
        #expect(try denial { $0.authority = "" } == misdirected)
        #expect(try denial { ($0.authority, $0.hasAuthorization) = ("localhost:8443.", false) } == misdirected)
        #expect(try denial { $0.authority = "LOCALHOST:8443" } == nil)
        let trial = try Trial.standard()
        let rules = ListenerRules(trial.listener(origins: ["https://localhost:8443", "https://b.test"]))
        let other: (inout Call) -> Void = { ($0.rules, $0.authority, $0.serverName) = (rules, "b.test", "localhost") }
        #expect(try denial(other) == misdirected)
        #expect(
            try denial {
                other(&$0)
                $0.serverName = "b.test"
            } == nil)
    }

    @Test("A target that names plain HTTP is not one of a listener with TLS")
    func scheme() throws {
        #expect(try denial { $0.namesPlainHTTP = true } == Denial(.misdirected, "target.scheme"))
    }

    // MARK: 2. The route

    @Test("What no route is for is not found, whatever its credentials")
    func route() throws {
        let none = Denial(.noRoute, "route.none")
        #expect(try denial { $0.target = "/orders" } == none)
        #expect(try denial { $0.method = "DELETE" } == none)
        #expect(try denial { $0.method = "get" } == none)
        #expect(try denial { ($0.target, $0.hasAuthorization) = ("/orders/7/items", false) } == none)
        #expect(try judge { $0.target = "/orders" }.tokenID == nil)
        #expect(try denial { $0.method = "PUT" } == nil)
    }

    @Test("32: The route is that of the target, whatever fields say of another")
    func fieldsOfTarget() throws {
        let fields = [
            ("X-Forwarded-Uri", "/orders/7"), ("X-Original-Url", "/orders/7"), ("X-Rewrite-URL", "/orders/7"),
        ]
        #expect(try denial { ($0.fields, $0.target) = (fields, "/nothing") } == Denial(.noRoute, "route.none"))
        #expect(try denial { $0.fields = [("X-HTTP-Method-Override", "DELETE")] } == nil)
    }

    @Test("RFC 9110 §9.3.8: TRACE is no route's, even where a route takes any method")
    func trace() throws {
        let route = try Trial.route(methods: [])
        for method in ["TRACE", "TRACK"] {
            #expect(try denial { ($0.method, $0.route) = (method, route) } == Denial(.noRoute, "route.none"))
        }
        #expect(try denial { ($0.method, $0.route) = ("OPTIONS", route) } == nil)
    }

    // MARK: 3. The token

    @Test("A call without a token, with two, or with one elsewhere goes no further than its route")
    func credentials() throws {
        let missing = try judge { $0.hasAuthorization = false }
        // Whoever comes without is told what to ask for.
        let expected = Denial(.credentialsMissing, "credentials.missing", scope: "read:orders:7")
        #expect(missing == Verdict(denial: expected, route: "read-order"))
        #expect(
            try denial { $0.fields = [("Authorization", "Bearer x")] }
                == Denial(.invalidRequest, "credentials.two-authorization-fields"))
        #expect(
            try denial { $0.target = "/orders/7?access_token=x" } == Denial(.invalidRequest, "credentials.in-query"))
        #expect(try denial { $0.target = "/orders/7?token=x" } == nil)
    }

    @Test("Tokens and proofs beyond their limits are refused by size, and those at the limit are not")
    func limits() throws {
        let tooLarge = { (reason: String) in Denial(.tooLarge, reason, status: 431) }
        let size = try Trial.standard().token().utf8.count
        #expect(try denial { $0.limits.tokenBytes = size - 1 } == tooLarge("limit.token-bytes"))
        #expect(try denial { $0.limits.tokenBytes = size } == nil)
        let proof = [("DPoP", "12345")]
        #expect(try denial { ($0.limits.proofBytes, $0.fields) = (4, proof) } == tooLarge("limit.proof-bytes"))
        #expect(try denial { ($0.limits.proofBytes, $0.fields) = (5, proof) } == nil)
    }

    @Test(
        "P14: A token that is no compact JWS is refused",
        arguments: ["x", "a.b", "a.b.c", "a.b.c.d.e", "e30.e30.", "..", "a b", "a,b"])
    func shape(token: String) throws {
        let denial = try #require(try denial { $0.authorization = "Bearer \(token)" })
        #expect(denial.code == .invalidToken)
        #expect(denial.reason.hasPrefix("token."))
    }

    @Test("A token that is not for here or not for now is refused")
    func claims() throws {
        func reason(_ claims: [String: String?]) throws -> String? {
            let denial = try denial { $0.claims = claims }
            #expect(denial == nil || denial?.code == .invalidToken)
            return denial?.reason
        }
        #expect(try reason(["aud": #""https://evil.test""#]) == "token.audience")
        #expect(try reason(["iss": #""https://evil.test""#]) == "token.issuer")
        #expect(try reason(["iat": "1799999900", "exp": "1799999960"]) == "token.expired")
        #expect(try reason(["nbf": "1800000040"]) == "token.not-yet-valid")
        #expect(try reason(["jti": nil]) == "token.claim-missing.jti")
        #expect(try reason(["sub": #""spiffe://other.test/a""#]) == "token.trust-domain")
        #expect(try reason(["iat": "1799999900", "exp": "1799999980"]) == nil)
        #expect(try reason(["nbf": "1800000020"]) == nil)
    }

    @Test("The subject of a token is not bounded by labels of trust domains under any")
    func subjectUnderAny() throws {
        let trial = try Trial.standard()
        let rules = ListenerRules(trial.listener(identity: .any, trustDomains: ["label"]))
        #expect(try denial { $0.rules = rules } == nil)
        let strict = ListenerRules(trial.listener(identity: .spiffe, trustDomains: ["label"]))
        #expect(try denial { $0.rules = strict } == Denial(.invalidToken, "token.trust-domain"))
    }

    @Test("27: A token that one gatekeeper has seen is refused by it once it has expired")
    func expiryOfKnownToken() throws {
        let trial = try Trial.standard()
        let gatekeeper = Gatekeeper(engine: try CryptographicEngine(), memory: Trial.memory(), limits: Trial.limits())
        let (connection, snapshot) = (trial.connection(peer: trial.peer), try trial.snapshot())
        let token = ("Authorization", "Bearer \(try trial.token())")
        var reasons: [String?] = []
        for seconds in [0, 1, 329, 330, 331] as [Int64] {
            var exchange = Trial.exchange("GET", "/orders/7", [token])
            do throws(Denial) {
                _ = try gatekeeper.judge(
                    &exchange, from: connection, under: snapshot, now: Broker.now + .seconds(seconds))
                reasons.append(nil)
            } catch {
                reasons.append(error.reason)
            }
        }
        #expect(reasons == [nil, nil, nil, "token.expired", "token.expired"])
    }

    // MARK: 4. Possession

    @Test("M1: A bound token is for the connection of its certificate only")
    func possession() throws {
        let trial = try Trial.standard()
        let renewed = try #require(try trial.handshake.peer(uris: [Broker.subject]))
        let mismatch = try judge { $0.peer = renewed }
        #expect(mismatch.denial == Denial(.invalidToken, "possession.certificate-mismatch"))
        #expect(mismatch.tokenID == "t-1")
        #expect(mismatch.recorded == [])
        #expect(try denial { $0.peer = nil } == Denial(.invalidToken, "possession.certificate-missing"))
        #expect(
            try denial { ($0.peer, $0.fields) = (nil, [("Client-Cert", "x"), ("X-Forwarded-Client-Cert", "x")]) }
                == Denial(.invalidToken, "possession.certificate-missing"))
    }

    @Test("A token without confirmation passes only where the route takes the SVID for one")
    func svid() throws {
        let route = try Trial.route(possession: [.certificate, .svid])
        #expect(try denial { $0.claims = ["cnf": nil] } == Denial(.invalidToken, "possession.unbound"))
        let verdict = try judge { ($0.claims, $0.route) = (["cnf": nil], route) }
        #expect(verdict.denial == nil)
        #expect(verdict.recorded == .svid)
        #expect(
            try denial { ($0.claims, $0.route) = (["cnf": #"{"jkt":"x"}"#], route) }?.code == .invalidToken)
    }

    @Test("A token about another workload is refused, unless the route allows that")
    func subject() throws {
        let other = #""spiffe://example.test/agent/other""#
        #expect(try denial { $0.claims = ["sub": other] } == Denial(.invalidToken, "possession.subject-mismatch"))
        let route = try Trial.route(allowsSubjectMismatch: true)
        #expect(try denial { ($0.claims, $0.route) = (["sub": other], route) } == nil)
    }

    @Test("The record names the proofs that the route asked for, of those that hold")
    func recordedPossession() throws {
        let both = try Trial.route(possession: [.certificate, .svid, .dpop])
        #expect(try judge { $0.route = both }.recorded == [.certificate, .svid])
        #expect(try judge { $0.route = try Trial.route(possession: [.svid]) }.recorded == .svid)
    }

    // MARK: 6. Revocation

    @Test("What is revoked is refused before policy is asked")
    func revocation() throws {
        func reason(_ keys: [RevocationKey], _ target: String = "/orders/8") throws -> String? {
            let denial = try denial {
                ($0.revocations, $0.target) = (RevocationSnapshot(set: RevocationSet(keys)), target)
            }
            #expect(denial?.reason.hasPrefix("revocation.") != true || denial?.code == .invalidToken)
            return denial?.reason
        }
        let fingerprint = try Trial.standard().peer.certificate.fingerprint
        let token = { RevocationKey.token(issuer: Broker.issuer, tokenID: $0) }
        #expect(try reason([token("t-1")]) == "revocation.token")
        #expect(try reason([.agent(Broker.subject)]) == "revocation.agent")
        #expect(try reason([.certificate(fingerprint)]) == "revocation.certificate")
        #expect(try reason([.everything]) == "revocation.everything")
        #expect(try reason([token("t-2")]) == "policy.scope")
        #expect(try reason([token("t-2")], "/orders/7") == nil)
    }

    @Test("A feed that has been silent for too long makes the gateway unavailable, not the token invalid")
    func staleness() throws {
        func denial(deniesWhenStale: Bool) throws -> Denial? {
            let feed = FeedFreshness(name: "f", freshUntil: nil, deniesWhenStale: deniesWhenStale)
            return try self.denial { $0.revocations = RevocationSnapshot.empty.with(freshness: [feed]) }
        }
        #expect(try denial(deniesWhenStale: true) == Denial(.unavailable, "revocation.stale"))
        #expect(try denial(deniesWhenStale: false) == nil)
    }

    // MARK: 7. Policy

    @Test("A missing scope is named in the denial, filled from the path")
    func scope() throws {
        #expect(
            try judge { $0.target = "/orders/8" }
                == Verdict(
                    denial: Denial(.insufficientScope, "policy.scope", scope: "read:orders:8"),
                    recorded: [.certificate, .svid], route: "read-order", tokenID: "t-1"))
        #expect(try denial { ($0.target, $0.claims) = ("/orders/*", ["scope": #""read:orders:*""#]) } == nil)
        #expect(
            try denial { $0.target = "/orders/*" }
                == Denial(.insufficientScope, "policy.scope", scope: "read:orders:*"))
        #expect(try denial { ($0.target, $0.route) = ("/orders/8", try Trial.route(scope: nil)) } == nil)
    }

    @Test("An issuer or a proof that the route does not list is a matter of policy")
    func policy() throws {
        let issuer = try Trial.route(issuers: ["https://other.test"])
        #expect(try denial { $0.route = issuer } == Denial(.policy, "policy.issuer"))
        let proof = try Trial.route(possession: [.dpop])
        #expect(try denial { $0.route = proof } == Denial(.policy, "policy.possession"))
        #expect(try denial { $0.route = try Trial.route(possession: [.dpop, .certificate]) } == nil)
    }

    // MARK: The order

    @Test("Of several faults the one of the earliest phase decides")
    func order() throws {
        let trial = try Trial.standard()
        let renewed = try #require(try trial.handshake.peer(uris: [Broker.subject]))
        let revoked = RevocationSnapshot(set: RevocationSet([.agent(Broker.subject)]))
        // All faults at once; then, from the first phase on, one is mended after the other.
        var faults: [(name: String, mend: (inout Call) -> Void)] = []
        faults.append(("malformed.target-segment-parameter", { $0.target = "/nothing" }))
        faults.append(("target.authority", { $0.authority = Trial.authority }))
        faults.append(("route.none", { $0.target = "/orders/8" }))
        faults.append(("credentials.two-dpop-fields", { $0.fields = [] }))
        faults.append(("token.audience", { $0.claims = [:] }))
        faults.append(("possession.certificate-mismatch", { $0.peer = trial.peer }))
        faults.append(("revocation.agent", { $0.revocations = .empty }))
        faults.append(("policy.scope", { $0.target = "/orders/7" }))
        for mended in 0...faults.count {
            let denial = try denial { call in
                call.target = "/nothing;x"
                call.authority = "evil.test"
                call.fields = [("DPoP", "x"), ("DPoP", "x")]
                call.claims = ["aud": #""https://evil.test""#]
                call.peer = renewed
                call.revocations = revoked
                for fault in faults[..<mended] { fault.mend(&call) }
            }
            #expect(denial?.reason == (mended < faults.count ? faults[mended].name : nil))
        }
    }
}
