import Bytes
import Delegation
import HTTP
import Possession
import Testing

@testable import Policy
@testable import Tokens

@Suite("The depth of delegation that a route allows")
struct DelegationDepthTests {
    private func claims(links: Int) -> TokenClaims {
        TokenClaims(
            issuer: Trial.issuer, issuerIndex: 0, subject: "agent", subjectID: nil, tokenID: "t", clientID: "c",
            issuedAt: UnixTime(seconds: 1), expiresAt: UnixTime(seconds: 2), notBefore: nil, scopes: [],
            confirmations: .none, task: nil, orchestration: nil, sponsor: nil,
            lineage: Lineage((0..<links).map { LineageLink(agent: "agent-\($0)") }), signingKey: .zero)
    }

    @Test(
        "A token passes that was passed on as often as the route allows, and not once more",
        arguments: [(0, 0, true), (1, 0, false), (5, 5, true), (6, 5, false), (16, 16, true)])
    func depths(links: Int, depth: Int, passes: Bool) throws {
        var target = NormalizedTarget()
        try target.normalize("/orders/1".utf8.span)
        let route = try Trial.route("/orders/{id}", depth: depth)
        var denial: PolicyDenial?
        do throws(PolicyDenial) {
            _ = try route.judge(
                claims(links: links), possession: .certificate, at: target, now: UnixTime(seconds: 1))
        } catch {
            denial = error
        }
        #expect(denial == (passes ? nil : .delegation))
    }
}
