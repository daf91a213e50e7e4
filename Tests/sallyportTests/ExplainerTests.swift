import Bytes
import Configuration
import Exchange
import Foundation
import Testing

@testable import sallyport

/// A trial set-up with one agent, and a good request of it.
private final class Trial {
    let directory: TemporaryDirectory
    let setup: TrialSetup
    let agent: TrialAgent
    var method = "GET"
    var url = "https://localhost:8443/orders/42?secret=QUERY"
    var headers: [(String, String)]
    var certificate: String?
    var now = SystemClock.now

    init() throws {
        directory = try TemporaryDirectory()
        setup = TrialSetup(directory: directory.path)
        try setup.write(TrialPlan(), replacing: false)
        var request = AgentRequest(orchestration: "o1", task: "t1")
        request.scopes = ["read:orders:*"]
        agent = try setup.makeAgent(request)
        headers = [("Authorization", "Bearer " + (try agent.folder.readToken()))]
        certificate = "agents/\(agent.folder.name)/svid.pem"
    }

    func explain(_ change: (Trial) throws -> Void = { _ in }) throws -> Explanation {
        try change(self)
        var text =
            "method: \(method)\nurl: \"\(url)\"\nheaders: [\(headers.map { "[\($0), \"\($1)\"]" }.joined(separator: ", "))]\n"
        if let certificate { text += "client_certificate_file: \(certificate)\n" }
        let file = "\(directory.path)/request.yaml"
        try FileSystem.write(text, to: file, isSecret: true)
        let configuration = try GatewayConfiguration.load(file: setup.configurationFile, environment: [:])
        return try Explainer(configuration: configuration, now: now).explain(try CapturedRequest(file: file))
    }

    func configure(_ old: String, _ new: String) throws {
        let text = String(decoding: try FileSystem.read(setup.configurationFile), as: UTF8.self)
        #expect(text.contains(old))
        try FileSystem.write(text.replacing(old, with: new), to: setup.configurationFile, isSecret: false)
    }
}

@Suite("Explainer")
struct ExplainerTests {
    private func denial(_ explanation: Explanation) -> Denial? {
        guard case .denied(let denial, _) = explanation.outcome else { return nil }
        return denial
    }

    @Test("A good call is allowed, with what each phase established")
    func allowed() throws {
        let trial = try Trial()
        let explanation = try trial.explain()
        #expect(explanation.isAllowed)
        #expect(explanation.reached == .replay)
        let text = explanation.lines.joined(separator: "\n")
        for fact in [
            trial.agent.spiffeID, "read-order", "https://broker.example.test", "proven by certificate", "no delegation",
            "grant read:orders:*", "empty memory", "the upstream orders", "path /orders/42",
        ] { #expect(text.contains(fact)) }
        #expect(!text.contains("refused"))
        #expect(!text.contains("not reached"))
    }

    @Test("Neither a token nor a query is told")
    func secrets() throws {
        let trial = try Trial()
        let text = try trial.explain().lines.joined(separator: "\n")
        #expect(!text.contains(try trial.agent.folder.readToken()))
        #expect(!text.contains("QUERY"))
    }

    private static let refusals: [(String, ExplainedStep, @Sendable (Trial) throws -> Void)] = [
        ("certificate.missing", .connection, { $0.certificate = nil }),
        ("certificate.expired", .connection, { $0.now = $0.now + .seconds(7200) }),
        ("svid.extended-key-usage", .connection, { $0.certificate = "server.pem" }),
        ("svid.certificate-authority", .connection, { $0.certificate = "agents-ca.pem" }),
        ("malformed.host", .message, { $0.headers += [("Host", "localhost:8443"), ("Host", "localhost:8443")] }),
        ("target.authority", .target, { $0.headers.append(("Host", "other")) }),
        ("target.authority", .target, { $0.url = "https://elsewhere/orders/42" }),
        ("target.scheme", .target, { $0.url = "http://localhost:8443/orders/42" }),
        ("malformed.target-double-encoding", .target, { $0.url = "https://localhost:8443/%2541" }),
        ("route.none", .route, { $0.url = "https://localhost:8443/nothing" }),
        ("credentials.missing", .token, { $0.headers = [] }),
        ("credentials.two-authorization-fields", .token, { $0.headers += $0.headers }),
        ("token.expired", .token, { $0.now = $0.now + .seconds(1800) }),
        (
            "credentials.unbound-token-as-dpop", .binding,
            {
                $0.headers = [("Authorization", "DPoP " + (try $0.agent.folder.readToken()))]
            }
        ),
        ("policy.scope", .policy, { $0.method = "POST" }),
    ]

    @Test("What differs in one thing is refused in its phase, for its reason", arguments: refusals.indices)
    func refused(_ index: Int) throws {
        let (reason, step, change) = Self.refusals[index]
        let explanation = try Trial().explain(change)
        #expect(!explanation.isAllowed)
        #expect(explanation.reached == step)
        let rule = try #require(RuleSource(reason: reason))
        let text = explanation.lines.joined(separator: "\n")
        #expect(text.contains("reason      \(reason)\nrule        \(rule)\n"))
        #expect(text.contains("refused      \(reason)"))
    }

    @Test("What the client would be told is told, challenge and all")
    func challenge() throws {
        let explanation = try Trial().explain { $0.method = "POST" }
        #expect(denial(explanation)?.status == 403)
        let text = explanation.lines.joined(separator: "\n")
        #expect(text.contains("told 403, urn:sallyport:insufficient-scope"))
        #expect(text.contains("www-authenticate: Bearer"))
        #expect(text.contains("scope=\"write:orders:42\""))
    }

    @Test("Where the gateway would fetch keys, nobody is asked")
    func questions() throws {
        let explanation = try Trial().explain {
            try $0.configure("jwks_file: broker.jwks.json", "jwks_url: https://broker.example.test/keys")
        }
        #expect(!explanation.isAllowed)
        #expect(explanation.reached == .token)
        let text = explanation.lines.joined(separator: "\n")
        #expect(text.contains("token       undecided"))
        #expect(text.contains("explain asks nobody"))
        #expect(text.contains("https://broker.example.test"))
    }

    @Test("What the gateway itself answers is allowed without credentials")
    func served() throws {
        let explanation = try Trial().explain {
            $0.headers = []
            $0.url = "https://localhost:8443/.well-known/oauth-protected-resource"
        }
        #expect(explanation.isAllowed)
        #expect(explanation.reached == .target)
        #expect(explanation.lines.contains("route       not reached"))
    }

    @Test("A listener that is not there cannot be explained")
    func listeners() throws {
        let trial = try Trial()
        let configuration = try GatewayConfiguration.load(file: trial.setup.configurationFile, environment: [:])
        let explainer = Explainer(configuration: configuration, now: trial.now)
        var request = try CapturedRequest(Array("GET / HTTP/1.1\nHost: localhost:8443\n".utf8)) { _ in [] }
        request.listener = "agents"
        #expect(try explainer.explain(request).reached == .connection)
        request.listener = "others"
        #expect(throws: CommandFailure.self) { try explainer.explain(request) }
    }
}
