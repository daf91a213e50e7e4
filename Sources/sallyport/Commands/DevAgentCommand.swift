import ArgumentParser
import Bytes
import Configuration

/// `sallyport dev agent`: makes one agent instance with its certificate and its token.
struct DevAgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Make an agent: an X509-SVID with its key, and an access token bound to it.",
        discussion: """
            Writes svid.pem, svid.key and token to DIR/agents/NAME and prints NAME. The certificate lives for an hour, or \
            as long as the token where that is longer. --expired-by, --bind and --claim are for trying refusals.
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
        help: ArgumentHelp("Make a token that expired so long ago (SALLYPORT_EXPIRED_BY).", valueName: "duration"))
    var expiredBy: String?

    @Option(help: ArgumentHelp("What the token is bound to: certificate or none (SALLYPORT_BIND).", valueName: "what"))
    var bind: String?

    @Option(
        help: ArgumentHelp(
            "Set a claim to JSON, or remove it with NAME= alone; may be repeated (SALLYPORT_CLAIM, one a line).",
            valueName: "name=json"))
    var claim: [String] = []

    func run() throws {
        var request = AgentRequest(
            orchestration: try EnvironmentTwin.required(orchestration, "--orchestration", "SALLYPORT_ORCHESTRATION"),
            task: try EnvironmentTwin.required(task, "--task", "SALLYPORT_TASK"))
        request.sponsor = EnvironmentTwin.value(sponsor, "SALLYPORT_SPONSOR")
        request.scopes = EnvironmentTwin.list(scope, "SALLYPORT_SCOPE")
        request.name = EnvironmentTwin.value(name, "SALLYPORT_NAME")
        request.lifetime = try duration(ttl, "--ttl", "SALLYPORT_TTL") ?? request.lifetime
        request.expiredBy = try duration(expiredBy, "--expired-by", "SALLYPORT_EXPIRED_BY")
        if let bind = EnvironmentTwin.value(bind, "SALLYPORT_BIND") {
            guard let binding = AgentRequest.Binding(rawValue: bind) else {
                throw CommandFailure.couldNotRun("--bind \(bind) is not understood; give certificate or none")
            }
            request.binding = binding
        }
        request.claims = try EnvironmentTwin.list(claim, "SALLYPORT_CLAIM").map(ClaimOverride.init)
        let agent = try TrialSetup(directory: directory).makeAgent(request)
        StandardStream.error.write("\(agent.spiffeID) in \(agent.folder.path)\n")
        StandardStream.output.write("\(agent.folder.name)\n")
    }

    private func duration(_ option: String?, _ name: String, _ variable: String) throws -> Interval? {
        guard let text = EnvironmentTwin.value(option, variable) else { return nil }
        guard let interval = DurationText.interval(text), interval > .zero else {
            throw CommandFailure.couldNotRun("\(name) \(text) is not understood; give a duration such as 30s, 5m or 1h")
        }
        return interval
    }
}
