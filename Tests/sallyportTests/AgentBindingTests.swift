import Bytes
import Configuration
import Cryptography
import Foundation
import Identity
import TLS
import Testing
import Tokens

@testable import sallyport

@Suite("AgentBinding")
struct AgentBindingTests {
    private let directory: TemporaryDirectory
    private let setup: TrialSetup

    init() throws {
        directory = try TemporaryDirectory()
        setup = TrialSetup(directory: "\(directory.path)/trial")
        try setup.write(TrialPlan(), replacing: false)
    }

    private func makeAgent(
        _ binding: AgentBinding, _ change: (inout AgentRequest) throws -> Void = { _ in }
    ) throws -> TrialAgent {
        var request = AgentRequest(orchestration: "o1", task: "t1")
        request.name = "agent"
        request.sponsor = "alice"
        request.binding = binding
        if binding.hasScopes { request.scopes = ["read:tasks:1", "read:tasks:2"] }
        try change(&request)
        return try setup.makeAgent(request)
    }

    /// The claims as the gateway of the set-up reads them.
    private func verify(_ agent: TrialAgent, asWorkload: Bool = false) throws -> TokenClaims {
        let configuration = try GatewayConfiguration.load(file: setup.configurationFile, environment: [:])
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 1)
        let issuers = IssuerTable(configuration.issuers)
        let token = try agent.folder.readToken()
        let now = SystemClock.now
        guard asWorkload else {
            return try verifier.verify(token.utf8.span, among: issuers, subjectsWithin: ["example.test"], now: now)
                .claims
        }
        return try verifier.verifyWorkload(
            token.utf8.span, among: issuers, subjectsWithin: ["example.test"], now: now
        ).claims
    }

    private func fingerprint(_ agent: TrialAgent) throws -> Digest256 {
        try #require(try agent.folder.readIdentity().chain.first).facts.fingerprint
    }

    private func thumbprint(_ agent: TrialAgent) throws -> Digest256 {
        try #require(try agent.folder.readProofKey()).publicKey.thumbprint
    }

    @Test(
        "A token bound to a proof key names its thumbprint",
        arguments: [SignatureAlgorithm.es256, .ed25519])
    func dpop(_ algorithm: SignatureAlgorithm) throws {
        let agent = try makeAgent(.dpop) { $0.proofAlgorithm = algorithm }
        let confirmations = try verify(agent).confirmations
        #expect(confirmations.key == (try thumbprint(agent)))
        #expect(confirmations.certificate == nil)
        let key = try #require(try agent.folder.readProofKey())
        #expect(key.publicKey.accepts(algorithm))
        #expect(try directory.mode(of: "trial/agents/agent/proof.key") == 0o600)
    }

    @Test("A token bound to both names both")
    func both() throws {
        let agent = try makeAgent(.both)
        let confirmations = try verify(agent).confirmations
        #expect(confirmations.key == (try thumbprint(agent)))
        #expect(confirmations.certificate == (try fingerprint(agent)))
    }

    @Test(
        "A Workload Identity Token shows the proof key with its algorithm",
        arguments: [SignatureAlgorithm.es256, .ed25519])
    func workload(_ algorithm: SignatureAlgorithm) throws {
        let agent = try makeAgent(.wpt) { $0.proofAlgorithm = algorithm }
        let claims = try verify(agent, asWorkload: true)
        #expect(claims.issuer == "https://workloads.example.test")
        #expect(claims.subject == agent.spiffeID)
        let bound = try #require(claims.confirmations.publicKey)
        #expect(bound.publicKey.thumbprint == (try thumbprint(agent)))
        #expect(bound.algorithm == algorithm)
        #expect(throws: TokenRejection.self) { try verify(agent) }
    }

    @Test("A token of AgentWrit's kind names no key, and its grants one by one")
    func svid() throws {
        let agent = try makeAgent(.svid)
        let claims = try verify(agent)
        #expect(claims.profile == .agentwrit)
        #expect(claims.issuer == "https://agentwrit.example.test")
        #expect(claims.subject == agent.spiffeID)
        #expect(!claims.confirmations.isPresent)
        #expect(claims.scopes == ["read:tasks:1", "read:tasks:2"])
        #expect([claims.task, claims.orchestration, claims.sponsor] == ["t1", "o1", "alice"])
        #expect(try agent.folder.readProofKey() == nil)
        let parts = try agent.folder.readToken().split(separator: ".").map(String.init)
        let headerBytes = Base64URL.decode(parts[0].utf8.span)
        let header = String(decoding: try #require(headerBytes), as: UTF8.self)
        #expect(header.contains("\"alg\":\"EdDSA\""))
        let payloadBytes = Base64URL.decode(parts[1].utf8.span)
        let payload = String(decoding: try #require(payloadBytes), as: UTF8.self)
        #expect(payload.contains("\"scope\":[\"read:tasks:1\",\"read:tasks:2\"]"))
        #expect(payload.contains("\"orch_id\":\"o1\""))
    }

    @Test("A token that has expired is refused, whoever issued it", arguments: [AgentBinding.wpt, .svid, .dpop])
    func expired(_ binding: AgentBinding) throws {
        let isWorkload = binding == .wpt
        #expect(try verify(try makeAgent(binding), asWorkload: isWorkload).expiresAt > SystemClock.now)
        let late = try makeAgent(binding) { $0.expiredBy = .seconds(60) }
        #expect(throws: TokenRejection.self) { try verify(late, asWorkload: isWorkload) }
    }

    @Test("An agent that is made anew without a proof key keeps none")
    func staleKey() throws {
        #expect(try makeAgent(.dpop).folder.readProofKey() != nil)
        #expect(try makeAgent(.certificate).folder.readProofKey() == nil)
    }

    @Test("A set-up that names no issuer of the kind makes no such agent")
    func missingIssuer() throws {
        let file = setup.configurationFile
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let other = text.replacingOccurrences(of: "profile: wimse", with: "profile: wit-svid")
        try other.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(throws: CommandFailure.self) { try makeAgent(.wpt) }
        #expect(try verify(try makeAgent(.dpop)).confirmations.isPresent)
    }
}
