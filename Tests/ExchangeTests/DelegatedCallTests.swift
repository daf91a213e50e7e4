import Audit
import Bytes
import Configuration
import Cryptography
import JSON
import Policy
import Possession
import Revocation
import Support
import Testing
import Tokens

@testable import Exchange

/// What a gatekeeper makes of a call, and what is recorded of it.
private struct Told {
    let denial: Denial?
    let phase: DecisionPhase
    let agent: String?
    let delegation: String?
    let isOrdered: Bool
}

@Suite("Calls with tokens that were passed on")
struct DelegatedCallTests {
    private static let planner = "spiffe://example.test/planner"
    private let trial: Trial
    private let agentWrit: Broker

    init() throws {
        trial = try Trial.standard()
        agentWrit = Broker(key: try .generate(.ed25519), algorithm: .edDSA)
    }

    private func judge(_ token: String, _ issuer: TokenIssuer, possession: PossessionMethod) throws -> Told {
        let snapshot = EnforcementSnapshot(
            generation: 1, issuers: IssuerTable([issuer]),
            routes: RouteTable([try Trial.route(possession: [possession])]), revocations: .empty,
            limits: Limits())
        let connection = trial.connection(peer: trial.peer)
        var exchange = Trial.exchange("GET", "/orders/7", [("Authorization", "Bearer \(token)")])
        var denial: Denial?
        do {
            _ = try trial.judge(&exchange, from: connection, under: snapshot)
        } catch let error as Denial {
            denial = error
        }
        var record = AuditRecord()
        exchange.write(&record, denial: denial, connection: connection, time: Broker.now)
        var chain = AuditChain(engine: try CryptographicEngine())
        var bytes = ByteQueue()
        chain.append(record, to: &bytes)
        let document = try JSONDocument(bytes.readable)
        var names: [String] = []
        var members = document.root.members
        while let member = members.next() { names.append(text(member.name)) }
        var delegation: String?
        if let value = document.root.member("delegation") { delegation = text(value.raw) }
        return Told(
            denial: denial, phase: exchange.phase, agent: document.root.member("agent")?.string,
            delegation: delegation, isOrdered: names == names.sorted())
    }

    private func chained(
        _ scopes: [String], by agent: String = planner, _ changed: [String: String?] = [:]
    ) throws -> Told {
        let record = ChainRecord(agent, scopes, at: "2027-01-15T07:59:00Z")
        let grant: [String: String?] = ["scope": #"["read:orders:7"]"#]
        let token = try agentWrit.agentWritToken(chain: [record], grant.merging(changed) { $1 })
        let issuer = try agentWrit.issuer(profile: .agentwrit, keys: agentWrit.keySet(keyID: nil))
        return try judge(String(decoding: token, as: UTF8.self), issuer, possession: .svid)
    }

    private func acting(_ act: String) throws -> Told {
        let token = try trial.token(["sub": #""user@example.test""#, "act": act])
        return try judge(token, trial.broker.issuer(), possession: .certificate)
    }

    @Test("Who passed it on is on record, with what it held")
    func recorded() throws {
        let told = try chained(["read:orders:*", "write:orders:*"])
        #expect(told.denial == nil && told.agent == Broker.subject && told.isOrdered)
        #expect(told.delegation == #"[{"agent":"\#(Self.planner)","scope":"read:orders:* write:orders:*"}]"#)
    }

    @Test("Of many scopes the record holds the first, and says that there are more")
    func bounded() throws {
        let long = (0..<9).map { "read:orders:\($0)" + String(repeating: "x", count: 500) }
        let told = try chained(["read:orders:7"] + long)
        let scopes = "read:orders:7 \(long[0]) ..."
        #expect(told.delegation == #"[{"agent":"\#(Self.planner)","scope":"\#(scopes)"}]"#)
    }

    @Test("A chain that does not hold is refused in its own phase, and is not on record")
    func broken() throws {
        let told = try chained(["read:orders:8"])
        #expect(told.denial == Denial(.invalidToken, "lineage.scope"))
        #expect(told.phase == .lineage && told.delegation == nil)
        // Of a token for somebody else no chain is judged.
        let foreign = try chained(["read:orders:8"], ["aud": #"["x"]"#])
        #expect(foreign.denial == Denial(.invalidToken, "token.audience") && foreign.phase == .token)
    }

    @Test("A stranger in the chain is refused on a listener that does not know its trust domain")
    func strangers() throws {
        let told = try chained(["read:orders:7"], by: "spiffe://other.test/planner")
        #expect(told.denial == Denial(.invalidToken, "lineage.trust-domain") && told.phase == .lineage)
    }

    @Test("The outermost actor is who calls; the others are on record, whatever they are called")
    func actors() throws {
        let told = try acting(#"{"sub":"\#(Broker.subject)","act":{"sub":"a\"b"}}"#)
        #expect(told.denial == nil && told.agent == Broker.subject && told.isOrdered)
        #expect(told.delegation == #"[{"agent":"user@example.test","scope":""},{"agent":"a\"b","scope":""}]"#)
    }

    @Test("Another actor than the peer is refused, and so is what is no actor")
    func otherActors() throws {
        let other = try acting(#"{"sub":"spiffe://example.test/other","act":{"sub":"\#(Broker.subject)"}}"#)
        #expect(other.denial == Denial(.invalidToken, "possession.subject-mismatch") && other.phase == .binding)
        let none = try acting("{}")
        #expect(none.denial == Denial(.invalidToken, "lineage.form") && none.phase == .lineage)
    }
}
