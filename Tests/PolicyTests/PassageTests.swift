import Bytes
import Cryptography
import Identity
import Revocation
import Support
import Testing

@testable import Policy

@Suite("Passages")
struct PassageTests {
    private static let agent = "spiffe://example.test/agent/a"
    private static let now = UnixTime(seconds: 1_800_000_000)

    private func peer(
        _ uris: [String] = [agent], mode: IdentityMode = .spiffe, label: String = "example.test"
    ) throws
        -> VerifiedPeer
    {
        try #require(try Handshake().peer(uris: uris, mode: mode, label: label))
    }

    /// Why no passage is made; nothing where one is.
    private func denial(
        _ peer: VerifiedPeer, _ patterns: [String], revoked: RevocationSnapshot = .empty, at now: UnixTime = now
    ) throws -> String? {
        let rule = PassageRule(allowed: try patterns.map { try #require(AgentPattern($0)) })
        do {
            let unrevoked = try revoked.check(peer: peer, now: now)
            let passage = try rule.admit(unrevoked, now: now)
            #expect(passage.peer === peer)
            #expect(passage.agent == peer.spiffeID)
            #expect(passage.expiresAt == peer.certificate.notAfter)
            return nil
        } catch let denial as PassageDenial {
            return denial.reason
        } catch let revoked as RevokedCredential {
            return revoked.reason
        }
    }

    @Test("An agent that a pattern means may pass, another may not")
    func allowed() throws {
        let peer = try peer()
        #expect(try denial(peer, [Self.agent]) == nil)
        #expect(try denial(peer, ["spiffe://example.test/db", "spiffe://example.test/agent/*"]) == nil)
        #expect(try denial(peer, ["spiffe://example.test/db"]) == "passage.agent")
        #expect(try denial(peer, []) == "passage.agent")
    }

    @Test("A certificate may pass until its last moment, and no longer")
    func expired() throws {
        let peer = try peer()
        let end = peer.certificate.notAfter
        #expect(try denial(peer, [Self.agent], at: end) == nil)
        #expect(try denial(peer, [Self.agent], at: end + Interval(nanoseconds: 1)) == "passage.expired")
    }

    @Test("Who has not proven a SPIFFE ID may not pass")
    func anonymous() throws {
        #expect(try denial(peer([], mode: .any), ["spiffe://example.test/*"]) == "passage.anonymous")
        let foreign = try peer([Self.agent], mode: .any, label: "corp")
        #expect(foreign.spiffeID != nil)
        #expect(try denial(foreign, [Self.agent]) == "passage.anonymous")
        #expect(try denial(peer([Self.agent], mode: .any), [Self.agent]) == nil)
    }

    @Test("Who is revoked may not pass: the agent, its chain, or its certificate; another's revocation does no harm")
    func revoked() throws {
        let peer = try peer()
        let other = "spiffe://example.test/agent/b"
        func reason(_ keys: RevocationKey...) throws -> String? {
            try denial(peer, [Self.agent], revoked: RevocationSnapshot(set: RevocationSet(keys)))
        }
        #expect(try reason(.agent(Self.agent)) == "revocation.agent")
        #expect(try reason(.chain(Self.agent)) == "revocation.chain")
        #expect(try reason(.certificate(peer.certificate.fingerprint)) == "revocation.certificate")
        #expect(try reason(.agent(other), .chain(other), .certificate(.zero)) == nil)
    }
}
