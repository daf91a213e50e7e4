import ArgumentParser
import Cryptography

/// `sallyport dev proof`: makes one proof of possession, for calls with other clients.
struct DevProofCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proof",
        abstract: "Print one fresh proof of an agent for one call, to be sent with curl.",
        discussion: """
            A DPoP proof goes into the field DPoP, beside Authorization: DPoP TOKEN; a Workload Proof Token into the field \
            Workload-Proof-Token, beside Workload-Identity-Token. Each serves once.
            """)

    @Argument(help: ArgumentHelp("The directory that dev init wrote.", valueName: "dir"))
    var directory: String

    @Argument(help: ArgumentHelp("The agent: a name under DIR/agents, or the path of its folder.", valueName: "agent"))
    var agent: String

    @Argument(help: "The method of the call, such as GET.")
    var method: String

    @Argument(help: "Where the call goes, as an https URL.")
    var url: String

    @Option(
        help: ArgumentHelp(
            "Which proof: dpop or wpt (SALLYPORT_KIND; default what the agent's token is bound by).", valueName: "kind")
    )
    var kind: String?

    @Option(
        help: ArgumentHelp(
            "The nonce that the gateway asked for, in a DPoP proof (SALLYPORT_NONCE).", valueName: "nonce"))
    var nonce: String?

    func run() throws {
        guard let url = HTTPSURL(url) else {
            throw CommandFailure.couldNotRun("\(url) is not understood; give https://host:port/path")
        }
        let folder = AgentFolder(of: agent, in: TrialSetup(directory: directory))
        let token = try folder.readToken()
        guard let key = try folder.readProofKey() else {
            throw CommandFailure.couldNotRun(
                "\(agent) has no proof key; make it anew with dev agent --binding dpop, both or wpt")
        }
        let kind = try chosenKind() ?? TrialCredentials(token: token, proofKey: key).proofKind ?? .dpop
        let nonce = EnvironmentTwin.value(nonce, "SALLYPORT_NONCE")
        guard nonce == nil || kind == .dpop else {
            throw CommandFailure.couldNotRun("a Workload Proof Token repeats no nonce; leave --nonce away")
        }
        let proof = TrialProof(kind: kind, method: method, url: url, token: token, nonce: nonce)
        StandardStream.output.write(try proof.signed(by: key, now: SystemClock.now) + "\n")
    }

    private func chosenKind() throws -> TrialProof.Kind? {
        guard let text = EnvironmentTwin.value(kind, "SALLYPORT_KIND") else { return nil }
        guard let kind = TrialProof.Kind(rawValue: text) else {
            throw CommandFailure.couldNotRun("--kind \(text) is not understood; give dpop or wpt")
        }
        return kind
    }
}
