import Bytes
import Configuration
import Cryptography
import Foundation
import Identity
import Policy
import TLS
import Testing
import Tokens

@testable import sallyport

@Suite("TrialSetup")
struct TrialSetupTests {
    private let directory: TemporaryDirectory
    private let setup: TrialSetup

    init() throws {
        directory = try TemporaryDirectory()
        setup = TrialSetup(directory: "\(directory.path)/trial")
    }

    private func request(_ change: (inout AgentRequest) throws -> Void = { _ in }) rethrows -> AgentRequest {
        var request = AgentRequest(orchestration: "o1", task: "t1")
        request.scopes = ["read:orders:*", "write:orders:7"]
        try change(&request)
        return request
    }

    /// Verifies an agent's token as the gateway of the set-up would.
    private func verify(_ agent: TrialAgent) throws -> TokenClaims {
        let configuration = try GatewayConfiguration.load(file: setup.configurationFile, environment: [:])
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 1)
        let token = try agent.folder.readToken()
        return try verifier.verify(
            token.utf8.span, among: IssuerTable(configuration.issuers), subjectsWithin: ["example.test"],
            now: SystemClock.now
        ).claims
    }

    @Test("What is written passes the check, without a warning")
    func passesCheck() throws {
        try setup.write(TrialPlan(), replacing: false)
        let configuration = try GatewayConfiguration.load(file: setup.configurationFile, environment: [:])
        #expect(configuration.warnings == [])
        #expect(
            configuration.routes.map(\.name)
                == ["read-order", "write-order", "read-report", "use-model", "workload", "read-task"])
        #expect(configuration.issuers.map(\.profile) == [.oauth, .wimse, .agentwrit])
        #expect(!configuration.possession.requiresNonce)
        #expect(configuration.listeners.first?.origins.map(\.description) == ["https://localhost:8443"])
    }

    @Test("Addresses, upstream and trust domain can be chosen; the origin follows the port")
    func choices() throws {
        var plan = TrialPlan()
        plan.listen = .ip(host: "::1", port: 9443)
        plan.upstream = .tcp(host: "127.0.0.1", port: 9001)
        plan.observability = .ip(host: "127.0.0.1", port: 9465)
        plan.trustDomain = "agents.example"
        try setup.write(plan, replacing: false)
        let configuration = try GatewayConfiguration.load(file: setup.configurationFile, environment: [:])
        #expect(configuration.listeners.map(\.address) == [plan.listen])
        #expect(configuration.listeners.flatMap(\.origins).map(\.description) == ["https://localhost:9443"])
        #expect(configuration.listeners.flatMap(\.trustDomains).map(\.name) == ["agents.example"])
        #expect(configuration.upstreams.map(\.targets) == [[plan.upstream]])
        #expect(configuration.observability == plan.observability)
        #expect(configuration.issuers.map(\.audiences) == [["https://localhost:9443"], [], ["https://localhost:9443"]])
        let agent = try setup.makeAgent(request())
        #expect(agent.spiffeID.hasPrefix("spiffe://agents.example/agent/o1/t1/"))
    }

    @Test(
        "Keys are this user's alone",
        arguments: [
            "ca.key", "server.key", "agents-ca.key", "broker.key", "workloads.key", "agentwrit.key",
        ])
    func modes(_ name: String) throws {
        try setup.write(TrialPlan(), replacing: false)
        #expect(try directory.mode(of: "trial/\(name)") == 0o600)
        #expect(try directory.mode(of: "trial") == 0o700)
    }

    @Test(
        "The admin socket and what was revoked have a directory each, which is this user's alone",
        arguments: ["run", "state"])
    func directories(_ name: String) throws {
        try setup.write(TrialPlan(), replacing: false)
        #expect(try directory.mode(of: "trial/\(name)") == 0o700)
    }

    @Test("A directory whose name leaves no room for a socket's is refused, and one that does is not")
    func socketPath() throws {
        let room = 107 - "\(directory.path)//run/admin.sock".utf8.count
        let fits = TrialSetup(directory: "\(directory.path)/" + String(repeating: "a", count: room))
        try fits.write(TrialPlan(), replacing: false)
        let tooLong = TrialSetup(directory: "\(directory.path)/" + String(repeating: "a", count: room + 1))
        #expect(throws: CommandFailure.self) { try tooLong.write(TrialPlan(), replacing: false) }
        #expect(!FileSystem.exists(tooLong.directory))
    }

    @Test("A set-up is not written over, unless that is asked for")
    func replacing() throws {
        try setup.write(TrialPlan(), replacing: false)
        #expect(throws: CommandFailure.self) { try setup.write(TrialPlan(), replacing: false) }
        try setup.write(TrialPlan(), replacing: true)
        #expect(try GatewayConfiguration.load(file: setup.configurationFile, environment: [:]).warnings == [])
    }

    @Test("An agent has an X509-SVID of its SPIFFE ID and a token that is bound to it")
    func agent() throws {
        try setup.write(TrialPlan(), replacing: false)
        let agent = try setup.makeAgent(request { $0.sponsor = "alice" })
        let leaf = try #require(try agent.folder.readIdentity().chain.first)
        #expect(try X509SVID.identifier(of: leaf.facts).text == agent.spiffeID)
        let claims = try verify(agent)
        #expect(claims.subject == agent.spiffeID)
        #expect(claims.issuer == "https://broker.example.test")
        #expect(claims.confirmations.certificate == leaf.facts.fingerprint)
        #expect(claims.scopes == ["read:orders:*", "write:orders:7"])
        #expect([claims.task, claims.orchestration, claims.sponsor] == ["t1", "o1", "alice"])
        #expect(try directory.mode(of: "trial/agents/\(agent.folder.name)/svid.key") == 0o600)
        #expect(try directory.mode(of: "trial/agents/\(agent.folder.name)/token") == 0o600)
    }

    @Test("A token can be made that has expired, and is refused for that")
    func expired() throws {
        try setup.write(TrialPlan(), replacing: false)
        let agent = try setup.makeAgent(request { $0.expiredBy = .seconds(60) })
        #expect(throws: TokenRejection.self) { try verify(agent) }
    }

    @Test("A token can be made that is bound to nothing")
    func unbound() throws {
        try setup.write(TrialPlan(), replacing: false)
        let claims = try verify(try setup.makeAgent(request { $0.binding = .none }))
        #expect(!claims.confirmations.isPresent)
    }

    @Test("Claims can be set and removed")
    func claims() throws {
        try setup.write(TrialPlan(), replacing: false)
        let agent = try setup.makeAgent(
            request { $0.claims = [try ClaimOverride("sponsor=\"bob\""), try ClaimOverride("task_id=")] })
        let claims = try verify(agent)
        #expect(claims.sponsor == "bob")
        #expect(claims.task == nil)
        let wrong = try setup.makeAgent(request { $0.claims = [try ClaimOverride("aud=\"https://else\"")] })
        #expect(throws: TokenRejection.self) { try verify(wrong) }
    }

    @Test(
        "A claim's value is JSON where it can be read so, and text where it cannot be meant so",
        arguments: [
            ("model=m-1", "\"m-1\""), ("a=sha256:0=", "\"sha256:0=\""), ("a=7", "7"), ("a=007", "\"007\""),
            ("a=true", "true"), ("a=\"7\"", "\"7\""), ("a=[1]", "[1]"), ("a=", nil as String?),
        ])
    func claimValues(_ text: String, _ json: String?) throws {
        #expect(try ClaimOverride(text).json == json)
    }

    @Test(
        "Claims that are neither are refused", arguments: ["a", "=1", "a={", "a=[1", "a=\"b", "a={\"b\":1,\"b\":2}"])
    func badClaims(_ text: String) {
        #expect(throws: CommandFailure.self) { try ClaimOverride(text) }
    }

    @Test("An agent outside the path of its kind is refused", arguments: ["a/b", "a b", "", "..", "ä"])
    func badOrchestration(_ orchestration: String) throws {
        try setup.write(TrialPlan(), replacing: false)
        #expect(throws: CommandFailure.self) {
            try setup.makeAgent(AgentRequest(orchestration: orchestration, task: "t"))
        }
    }

    @Test("A name that leaves the agents' folder is refused", arguments: ["../x", "a/b", ".hidden", "", "a b"])
    func badName(_ name: String) throws {
        try setup.write(TrialPlan(), replacing: false)
        #expect(throws: CommandFailure.self) { try setup.makeAgent(request { $0.name = name }) }
    }

    @Test("An agent keeps its name, and can be made anew")
    func name() throws {
        try setup.write(TrialPlan(), replacing: false)
        let first = try setup.makeAgent(request { $0.name = "a1" })
        let second = try setup.makeAgent(request { $0.name = "a1" })
        #expect(first.folder.name == "a1")
        #expect(first.spiffeID != second.spiffeID)
        #expect(try verify(second).subject == second.spiffeID)
    }

    @Test("Without a set-up there is no agent")
    func noSetup() {
        #expect(throws: CommandFailure.self) { try setup.makeAgent(request()) }
    }
}
