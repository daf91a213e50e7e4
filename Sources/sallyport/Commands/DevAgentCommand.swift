import ArgumentParser
import Bytes
import Configuration
import Cryptography

/// `sallyport dev agent`: makes one agent instance with its certificate and its token.
struct DevAgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Make an agent: an X509-SVID with its key, and a token bound to it.",
        discussion: """
            Writes svid.pem, svid.key, spiffe-id and token, and proof.key where the binding needs one, to DIR/agents/NAME. \
            On stdout it prints NAME, on stderr the SPIFFE ID, which is what revocations and policies go by. The certificate lives for an hour, or as long as the token where that is longer.
            Bindings: certificate and dpop are access tokens that name the certificate (RFC 8705) or the proof key \
            (RFC 9449), both names both; wpt is a Workload Identity Token with the proof key (WIMSE), without grants; svid \
            is a token without a key, such as AgentWrit's, whose subject is the certificate's SPIFFE ID; none is an \
            access token bound to nothing. That, --expired-by and --forge are for trying refusals.
            With --delegate-from it makes a sub-agent: an agent made with --binding svid passes on the grants that \
            --scope names, each of which it must hold; without --scope it passes on none. The token says through whom it \
            came. Its orchestration, task and sponsor are its delegator's, and it ends with that token at the latest. A sub-agent can delegate too.
            """)

    @Argument(help: ArgumentHelp("The directory that dev init wrote.", valueName: "dir"))
    var directory: String

    @Option(help: ArgumentHelp("The orchestration that it works for (SALLYPORT_ORCHESTRATION).", valueName: "id"))
    var orchestration: String?

    @Option(help: ArgumentHelp("The task that it was started for (SALLYPORT_TASK).", valueName: "id"))
    var task: String?

    @Option(help: ArgumentHelp("The human who answers for it (SALLYPORT_SPONSOR).", valueName: "name"))
    var sponsor: String?

    @Option(help: ArgumentHelp("The life of the token (SALLYPORT_TTL; default 5m).", valueName: "duration"))
    var ttl: String?

    @Option(
        help: ArgumentHelp(
            "A grant such as read:orders:*; may be repeated (SALLYPORT_SCOPE, one a line).", valueName: "grant"))
    var scope: [String] = []

    @Option(help: ArgumentHelp("The name of its folder (SALLYPORT_NAME; default its instance id).", valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Make a sub-agent of this one: a name under DIR/agents, or the path of its folder (SALLYPORT_DELEGATE_FROM).",
            valueName: "agent"))
    var delegateFrom: String?

    @Option(
        help: ArgumentHelp(
            """
            Make the chain of delegation wrong, to see it refused: widen gives grants that the delegator does not hold, \
            tamper changes what it held after that was signed (SALLYPORT_FORGE).
            """,
            valueName: "what"))
    var forge: String?

    @Option(
        help: ArgumentHelp("Make a token that expired so long ago (SALLYPORT_EXPIRED_BY).", valueName: "duration"))
    var expiredBy: String?

    @Option(
        name: [.customLong("binding"), .customLong("bind")],
        help: ArgumentHelp(
            "What the token is bound to: certificate (the default), dpop, both, wpt, svid or none (SALLYPORT_BINDING).",
            valueName: "what"))
    var binding: String?

    @Option(
        help: ArgumentHelp(
            "What proofs are signed with: ES256 (the default) or Ed25519 (SALLYPORT_PROOF_ALGORITHM).",
            valueName: "name"))
    var proofAlgorithm: String?

    @Option(
        help: ArgumentHelp(
            """
            Set a claim to JSON or to text, or remove it with NAME= alone; may be repeated (SALLYPORT_CLAIM, one a line).
            """,
            valueName: "name=value"))
    var claim: [String] = []

    func run() throws {
        let setup = TrialSetup(directory: directory)
        let delegator = EnvironmentTwin.value(delegateFrom, "SALLYPORT_DELEGATE_FROM")
        let forgery = try chosenForgery()
        guard forgery == nil || delegator != nil else {
            throw CommandFailure.couldNotRun("--forge is for a chain of delegation; give --delegate-from too")
        }
        var request = try delegator.map { try subagent(of: AgentFolder(of: $0, in: setup), forgery) } ?? agent()
        request.name = EnvironmentTwin.value(name, "SALLYPORT_NAME")
        request.claims = try EnvironmentTwin.list(claim, "SALLYPORT_CLAIM").map(ClaimOverride.init)
        let agent = try setup.makeAgent(request)
        StandardStream.error.write("\(agent.spiffeID) in \(agent.folder.path)\n")
        if delegator != nil, request.scopes.isEmpty {
            StandardStream.error.write("note: it holds no grants, since no --scope names what is passed on\n")
        }
        StandardStream.output.write("\(agent.folder.name)\n")
    }

    private func agent() throws -> AgentRequest {
        var request = AgentRequest(
            orchestration: try EnvironmentTwin.required(orchestration, "--orchestration", "SALLYPORT_ORCHESTRATION"),
            task: try EnvironmentTwin.required(task, "--task", "SALLYPORT_TASK"))
        request.sponsor = EnvironmentTwin.value(sponsor, "SALLYPORT_SPONSOR")
        request.scopes = EnvironmentTwin.list(scope, "SALLYPORT_SCOPE")
        request.lifetime = try duration(ttl, "--ttl", "SALLYPORT_TTL") ?? request.lifetime
        request.expiredBy = try duration(expiredBy, "--expired-by", "SALLYPORT_EXPIRED_BY")
        request.binding = try chosenBinding() ?? request.binding
        request.proofAlgorithm = try chosenAlgorithm() ?? request.proofAlgorithm
        guard request.scopes.isEmpty || request.binding.hasScopes else {
            throw CommandFailure.couldNotRun(
                "a workload token holds no grants; leave --scope away, or choose another --binding")
        }
        return request
    }

    private func subagent(of delegator: AgentFolder, _ forgery: DelegationForgery?) throws -> AgentRequest {
        guard orchestration == nil, task == nil, sponsor == nil, expiredBy == nil else {
            throw CommandFailure.couldNotRun(
                "a sub-agent has its delegator's orchestration, task, sponsor and time; give only --scope, --ttl and --name"
            )
        }
        guard try chosenBinding() ?? .svid == .svid, proofAlgorithm == nil else {
            throw CommandFailure.couldNotRun("a sub-agent's token is bound to its SVID; leave --binding away")
        }
        return try AgentRequest(
            from: TrialDelegator(delegator), scopes: EnvironmentTwin.list(scope, "SALLYPORT_SCOPE"),
            lifetime: duration(ttl, "--ttl", "SALLYPORT_TTL"), forging: forgery, now: SystemClock.now)
    }

    private func chosenForgery() throws -> DelegationForgery? {
        guard let text = EnvironmentTwin.value(forge, "SALLYPORT_FORGE") else { return nil }
        guard let forgery = DelegationForgery(rawValue: text) else {
            let known = DelegationForgery.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure.couldNotRun("--forge \(text) is not understood; give one of \(known)")
        }
        return forgery
    }

    private func chosenBinding() throws -> AgentBinding? {
        guard let text = EnvironmentTwin.value(binding, "SALLYPORT_BINDING") else { return nil }
        guard let binding = AgentBinding(rawValue: text) else {
            let known = AgentBinding.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure.couldNotRun("--binding \(text) is not understood; give one of \(known)")
        }
        return binding
    }

    private func chosenAlgorithm() throws -> SignatureAlgorithm? {
        guard let text = EnvironmentTwin.value(proofAlgorithm, "SALLYPORT_PROOF_ALGORITHM") else { return nil }
        guard let algorithm = SignatureAlgorithm(rawValue: text), [.es256, .ed25519].contains(algorithm) else {
            throw CommandFailure.couldNotRun("--proof-algorithm \(text) is not understood; give ES256 or Ed25519")
        }
        return algorithm
    }

    private func duration(_ option: String?, _ name: String, _ variable: String) throws -> Interval? {
        guard let text = EnvironmentTwin.value(option, variable) else { return nil }
        guard let interval = DurationText.interval(text), interval > .zero else {
            throw CommandFailure.couldNotRun("\(name) \(text) is not understood; give a duration such as 30s, 5m or 1h")
        }
        return interval
    }
}
