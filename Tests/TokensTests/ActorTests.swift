import Bytes
import Delegation
import Identity
import Support
import Testing

@testable import Tokens

@Suite("Tokens with actors")
struct ActorTests {
    private static let actor = "spiffe://example.test/service16"
    private static let former = "spiffe://former.test/service77"
    private static let act = #"{"sub":"\#(actor)","act":{"sub":"\#(former)"}}"#

    private func claims(
        _ changed: [String: String?], within trustDomains: [String]? = nil
    ) throws -> Result<TokenClaims, TokenRejection> {
        let broker = try Broker.standard()
        return try verdict(broker.token(changed), broker.table(), within: trustDomains)
    }

    @Test("RFC 8693 §4.1: Who acts is the outermost actor; the subject passed it on, and then the former actors did")
    func outermost() throws {
        let claims = try claims(["sub": #""user@example.com""#, "act": Self.act]).get()
        #expect(claims.subject == "user@example.com" && claims.subjectID == nil)
        #expect(claims.actor == Self.actor && claims.agent == Self.actor && claims.agentID == claims.actorID)
        #expect(claims.actorID?.text == Self.actor)
        #expect(claims.lineage.links.map(\.agent) == ["user@example.com", Self.former])
        #expect(claims.delegationDepth == 2)
        for agent in ["user@example.com", Self.actor, Self.former] {
            #expect(claims.revocationNames.contains(RevocationName(.agent, .agent(agent))))
            #expect(claims.revocationNames.contains(RevocationName(.chain, .chain(agent))))
        }
    }

    @Test("Without an actor the subject acts itself")
    func none() throws {
        let claims = try claims([:]).get()
        #expect(claims.actor == nil && claims.lineage == .none && claims.delegationDepth == 0)
        #expect(claims.agent == Broker.subject && claims.agentID == claims.subjectID)
        #expect(claims.revocationNames.count { $0.level == .agent } == 1)
    }

    @Test("An actor that is no workload is not taken for the subject")
    func anonymous() throws {
        let claims = try claims(["act": #"{"sub":"app:orders"}"#]).get()
        #expect(claims.agent == "app:orders" && claims.agentID == nil && claims.subjectID != nil)
    }

    @Test("Whoever a token names must be of a trust domain that its issuer may name")
    func trustDomains() throws {
        let both = ["example.test", "former.test"]
        #expect(try claims(["act": Self.act], within: both).rejection == nil)
        #expect(
            try claims(["act": Self.act], within: ["example.test"]).rejection
                == .lineage(LineageFault(.trustDomain, at: 1)))
        let foreign = #"{"sub":"\#(Self.former)"}"#
        #expect(try claims(["act": foreign], within: ["example.test"]).rejection == .trustDomain)
        #expect(try claims(["act": foreign], within: both).rejection == nil)
    }

    @Test("Nobody is named twice for a revocation")
    func names() throws {
        let claims = try claims(["act": #"{"sub":"\#(Broker.subject)"}"#]).get()
        #expect(claims.revocationNames.count { $0.level == .agent } == 1)
        #expect(claims.revocationNames.count { $0.level == .chain } == 1)
    }
}
