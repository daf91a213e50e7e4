import Bytes
import Cryptography
import Foundation
import Identity
import TLS
import Testing

@testable import sallyport

@Suite("Sub-agents")
struct SubagentTests {
    private let directory: TemporaryDirectory
    private let setup: TrialSetup

    init() throws {
        directory = try TemporaryDirectory()
        setup = TrialSetup(directory: "\(directory.path)/trial")
        try setup.write(TrialPlan(), replacing: false)
    }

    private func root(_ change: (inout AgentRequest) -> Void = { _ in }) throws -> TrialAgent {
        var request = AgentRequest(orchestration: "o1", task: "t1")
        request.name = "planner"
        request.sponsor = "alice"
        request.binding = .svid
        request.scopes = ["read:tasks:*", "write:tasks:7"]
        change(&request)
        return try setup.makeAgent(request)
    }

    private func subagent(
        of delegator: TrialAgent, _ scopes: [String], lifetime: Interval? = nil, forging: DelegationForgery? = nil
    ) throws -> TrialAgent {
        try setup.makeAgent(
            AgentRequest(
                from: TrialDelegator(delegator.folder), scopes: scopes, lifetime: lifetime, forging: forging,
                now: SystemClock.now))
    }

    /// What a token says, as Foundation reads it.
    private struct Claims: Decodable {
        struct Record: Decodable {
            let agent: String
            let scope: [String]
            let delegatedAt: String
            let signature: String
        }

        let sub: String
        let iat: Int64
        let exp: Int64
        let scope: [String]
        let taskId: String
        let orchId: String
        let originalPrincipal: String?
        let delegationChain: [Record]?
        let chainHash: String?
    }

    private func payload(_ agent: TrialAgent) throws -> [UInt8] {
        let payload = try agent.folder.readToken().split(separator: ".")[1]
        let bytes = Base64URL.decode(payload.utf8.span)
        return try #require(bytes)
    }

    private func claims(_ agent: TrialAgent) throws -> Claims {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Claims.self, from: Data(payload(agent)))
    }

    @Test(
        "Three hops: each record names who passed on what, signed by the broker, and the hash is of the chain's bytes")
    func threeHops() throws {
        let planner = try root()
        let researcher = try subagent(of: planner, ["read:tasks:*"])
        let reader = try subagent(of: researcher, ["read:tasks:42"])
        let claims = try claims(reader)
        let chain = try #require(claims.delegationChain)
        #expect(chain.map(\.agent) == [planner.spiffeID, researcher.spiffeID])
        #expect(chain.map(\.scope) == [["read:tasks:*", "write:tasks:7"], ["read:tasks:*"]])
        #expect(claims.scope == ["read:tasks:42"])
        let pem = try FileSystem.read("\(setup.directory)/agentwrit.key")
        let broker = try PrivateKey(pem: pem.span).publicKey
        let engine = try CryptographicEngine()
        for record in chain {
            let signed = "\(record.agent)|\(record.scope.joined(separator: ","))|\(record.delegatedAt)"
            let signature = Hexadecimal.decode(record.signature.utf8.span) ?? []
            let isSigned = engine.verifies(signature.span, of: signed.utf8.span, by: broker, with: .edDSA)
            #expect(isSigned)
        }
        let text = String(decoding: try payload(reader), as: UTF8.self)
        let written = try #require(text.firstMatch(of: /"delegation_chain":(\[.*\]),"chain_hash"/)).1
        let hash = engine.sha256(written.utf8.span).hexadecimal
        #expect(claims.chainHash == hash)
    }

    @Test("A sub-agent has a certificate of its own, and its delegator's orchestration, task and sponsor")
    func carriesOn() throws {
        let planner = try root()
        let reader = try subagent(of: planner, ["read:tasks:42"])
        let leaf = try #require(try reader.folder.readIdentity().chain.first)
        #expect(try X509SVID.identifier(of: leaf.facts).text == reader.spiffeID)
        #expect(reader.spiffeID != planner.spiffeID)
        #expect(reader.spiffeID.hasPrefix("spiffe://example.test/agent/o1/t1/"))
        let claims = try claims(reader)
        #expect(claims.sub == reader.spiffeID)
        #expect([claims.taskId, claims.orchId, claims.originalPrincipal] == ["t1", "o1", "alice"])
    }

    @Test("A sub-agent does not take its delegator's place")
    func ownFolder() throws {
        let planner = try root()
        func request(_ name: String) throws -> AgentRequest {
            var request = try AgentRequest(
                from: TrialDelegator(planner.folder), scopes: ["read:tasks:42"], lifetime: nil, forging: nil,
                now: SystemClock.now)
            request.name = name
            return request
        }
        #expect(throws: CommandFailure.self) { try setup.makeAgent(request("planner")) }
        #expect(try claims(planner).sub == planner.spiffeID)
        let reader = try setup.makeAgent(request("reader"))
        let written = try FileSystem.read("\(reader.folder.path)/spiffe-id")
        #expect(String(decoding: written, as: UTF8.self) == reader.spiffeID + "\n")
    }

    @Test("Without a delegator there is no chain")
    func noChain() throws {
        let claims = try claims(root())
        #expect(claims.delegationChain == nil)
        #expect(claims.chainHash == nil)
    }

    @Test("What the delegator holds can be passed on", arguments: ["read:tasks:*", "read:tasks:1", "write:tasks:7"])
    func narrows(_ scope: String) throws {
        #expect(try claims(subagent(of: root(), [scope])).scope == [scope])
    }

    @Test(
        "What it does not hold cannot, unless that is what one wants to see refused",
        arguments: ["write:tasks:*", "write:tasks:8", "read:orders:1", "read:tasks", "admin"])
    func widens(_ scope: String) throws {
        let planner = try root()
        #expect(throws: CommandFailure.self) { try subagent(of: planner, [scope]) }
        #expect(throws: CommandFailure.self) { try subagent(of: planner, [scope], forging: .tamper) }
        #expect(try claims(subagent(of: planner, [scope], forging: .widen)).scope == [scope])
    }

    @Test("It ends with its delegator's token at the latest")
    func ends() throws {
        let planner = try root { $0.lifetime = .seconds(100) }
        let end = try claims(planner).exp
        #expect(try claims(subagent(of: planner, [])).exp == end)
        #expect(try claims(subagent(of: planner, [], lifetime: .seconds(60))).exp < end)
        #expect(throws: CommandFailure.self) { try subagent(of: planner, [], lifetime: .seconds(200)) }
    }

    @Test("An agent whose token has expired delegates no more")
    func expired() throws {
        let planner = try root { $0.expiredBy = .seconds(1) }
        #expect(throws: CommandFailure.self) { try subagent(of: planner, []) }
    }

    @Test("Only tokens of AgentWrit's kind are delegated so", arguments: AgentBinding.allCases.filter { $0 != .svid })
    func otherKinds(_ binding: AgentBinding) throws {
        let other = try root {
            $0.binding = binding
            $0.scopes = []
        }
        #expect(throws: CommandFailure.self) { try subagent(of: other, []) }
    }

    @Test("A token that is none is not delegated", arguments: ["", "a.b", "a.b.c", "a.e30.c", "a.W10.c"])
    func garbage(_ token: String) throws {
        let planner = try root()
        try FileSystem.write(token, to: "\(planner.folder.path)/token", isSecret: true)
        #expect(throws: CommandFailure.self) { try subagent(of: planner, []) }
    }
}
