import Bytes
import Configuration
import Cryptography
import Delegation
import HTTP
import Policy
import Possession
import Revocation
import Support
import Testing
import Tokens

@testable import Exchange

@Suite("The field Delegation-Chain")
struct DelegationChainTests {
    /// Everything that a call with a chain depends on, allowed as it stands.
    private struct Call {
        var leaf: String
        /// The values of the fields.
        var chains: [String]
        var holder: Prover
        var target = "/orders/7"
        var limits = Limits()
        var depth = 5
        var fields: [(String, String)] = []
        var table: IssuerTable?
    }

    private struct Verdict: Equatable {
        var denial: Denial?
        var grant: String?
        var phase: DecisionPhase
        var possession: PossessionMethods = []
        var agent: String?
    }

    private let agents: Delegators

    init() throws {
        agents = try Delegators.standard()
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func call(_ last: Int, _ changes: [Int: Delegators.Change] = [:]) throws -> Call {
        let tokens = try agents.chain(last, changes)
        let ancestors = tokens.dropLast().listed
        return Call(
            leaf: Self.text(tokens[last]), chains: ancestors.isEmpty ? [] : [Self.text(ancestors)],
            holder: Prover(key: agents.holders[last].key, algorithm: .ed25519))
    }

    private func judge(_ call: Call) throws -> Verdict {
        let trial = try Trial.standard()
        let proof = try call.holder.proof("GET", "https://localhost:8443\(call.target)", token: call.leaf)
        var fields = [("Authorization", "DPoP \(call.leaf)"), ("DPoP", proof)] + call.fields
        fields += call.chains.map { ("Delegation-Chain", $0) }
        var exchange = Trial.exchange("GET", call.target, fields)
        let route = try Self.route(call.depth)
        let snapshot = EnforcementSnapshot(
            generation: 1, issuers: try call.table ?? agents.table(), routes: RouteTable([route]),
            revocations: .empty, limits: call.limits)
        var verdict = Verdict(denial: nil, grant: nil, phase: .target)
        do {
            let permit = try trial.judge(&exchange, from: trial.connection(peer: trial.peer), under: snapshot)
            verdict.grant = permit.grant?.text
        } catch let error as Denial {
            verdict.denial = error
        }
        verdict.phase = exchange.phase
        verdict.possession = exchange.possession
        verdict.agent = exchange.claims?.agent
        return verdict
    }

    private func denial(_ call: Call) throws -> Denial? { try judge(call).denial }

    @Test("A call at the end of a chain is permitted by what its token allows")
    func permitted() throws {
        for last in [0, 1, 3] {
            let expected = Verdict(
                denial: nil, grant: "read:orders:7", phase: .replay, possession: .dpop, agent: agents.name(last))
            #expect(try judge(call(last)) == expected)
        }
    }

    @Test("What the last token does not allow is insufficient scope")
    func scope() throws {
        let map = #"{"read:orders":{"identifier":{"constraint_type":"exact","value":"8"}}}"#
        let narrowed = [2: Delegators.Change(["authorization_details": Delegators.details(map)])]
        #expect(try denial(call(2, narrowed))?.code == .insufficientScope)
        var other = try call(2, narrowed)
        other.target = "/orders/8"
        #expect(try judge(other).grant == "read:orders:8")
    }

    @Test("A chain that does not hold is an invalid token, found out where the lineage is judged")
    func lineage() throws {
        let widened = Delegators.Change(["authorization_details": Delegators.details(#"{"write:orders":{}}"#)])
        let verdict = try judge(call(2, [1: widened]))
        #expect(verdict.denial == Denial(.invalidToken, "lineage.capability"))
        #expect(verdict.phase == .lineage)
        var alone = try call(2)
        alone.chains = []
        #expect(try denial(alone) == Denial(.invalidToken, "lineage.missing-link"))
    }

    @Test("The holder of the last token must prove its key, whoever else is in the chain")
    func holder() throws {
        var call = try call(2)
        call.holder = Prover(key: agents.holders[1].key, algorithm: .ed25519)
        #expect(try denial(call) == Denial(.invalidToken, "dpop.jkt"))
    }

    @Test("A route says how long a chain may be")
    func depth() throws {
        var call = try call(2)
        call.depth = 1
        #expect(try denial(call) == Denial(.policy, "policy.delegation"))
        call.depth = 2
        #expect(try denial(call) == nil)
    }

    @Test("Two such fields, and one that is empty, are refused")
    func fields() throws {
        var call = try call(2)
        let chain = try #require(call.chains.first)
        call.chains = [chain, chain]
        #expect(try denial(call) == Denial(.invalidRequest, "credentials.two-chain-fields"))
        call.chains = chain.split(separator: ", ").map(String.init)
        #expect(try denial(call) == Denial(.invalidRequest, "credentials.two-chain-fields"))
        call.chains = [""]
        #expect(try denial(call) == Denial(.invalidRequest, "credentials.empty-chain"))
        call.chains = [chain]
        #expect(try denial(call) == nil)
    }

    @Test("A chain beside a token of another kind, or beside none, is refused")
    func kinds() throws {
        let trial = try Trial.standard()
        let chain = Self.text(try agents.chain(0).listed)
        func denial(_ fields: [(String, String)]) throws -> Denial? {
            var exchange = Trial.exchange("GET", "/orders/7", fields)
            do {
                _ = try trial.judge(&exchange, from: trial.connection(peer: trial.peer), under: trial.snapshot())
                return nil
            } catch let error as Denial {
                return error
            }
        }
        let token = ("Authorization", "Bearer \(try trial.token())")
        #expect(try denial([token]) == nil)
        let refused = Denial(.invalidRequest, "token.chain-unexpected")
        #expect(try denial([token, ("Delegation-Chain", chain)]) == refused)
        #expect(try denial([token, ("Delegation-Chain", "x")]) == refused)
        #expect(try denial([("Delegation-Chain", chain)])?.code == .credentialsMissing)
    }

    @Test("A chain, and each of its tokens, has a limit")
    func limits() throws {
        var call = try call(3)
        let chain = try #require(call.chains.first)
        let longest = try #require((chain.split(separator: ", ").map(\.utf8.count) + [call.leaf.utf8.count]).max())
        (call.limits.chainBytes, call.limits.tokenBytes) = (chain.utf8.count, longest)
        #expect(try denial(call) == nil)
        call.limits.chainBytes -= 1
        #expect(try denial(call) == Denial(.tooLarge, "limit.chain-bytes", status: 431))
        (call.limits.chainBytes, call.limits.tokenBytes) = (chain.utf8.count, longest - 1)
        #expect(try denial(call) == Denial(.tooLarge, "limit.token-bytes", status: 431))
        // One of the chain alone, which is longer than the token that is presented.
        let purpose = Delegators.Change(["note": "\"\(String(repeating: "x", count: 2000))\""])
        var long = try self.call(1, [0: purpose])
        long.limits.tokenBytes = 2000
        #expect(try denial(long) == Denial(.tooLarge, "limit.token-bytes", status: 431))
    }

    @Test("No field of the chain reaches an upstream, in any spelling")
    func hygiene() {
        func isRemoved(_ name: String) -> Bool { FieldHygiene.removes(name.utf8.span) }
        for name in ["delegation-chain", "Delegation-Chain", "DELEGATION_CHAIN"] { #expect(isRemoved(name)) }
        #expect(!isRemoved("delegation-chains"))
    }
}

extension DelegationChainTests {
    /// The route of the trial, for calls by a key, with a depth.
    private static func route(_ depth: Int) throws -> Route {
        let pattern = try PathPattern("/orders/{order_id}")
        return Route(
            name: "read-order", match: RouteMatch(methods: ["GET"], host: nil, path: pattern),
            requirement: RouteRequirement(
                issuers: [Broker.issuer], possession: [.dpop],
                scope: try ScopeTemplate("read:orders:{order_id}", parameters: pattern.parameterNames),
                maximumDelegationDepth: depth, allowsSubjectMismatch: false),
            forwarding: ForwardingRule(authorization: .strip, clientCertificate: false), upstream: "orders")
    }
}
