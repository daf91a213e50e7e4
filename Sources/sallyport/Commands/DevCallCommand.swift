import ArgumentParser
import Cryptography
import TLS

/// `sallyport dev call`: makes one call as an agent.
struct DevCallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Make one call as an agent, with its certificate, its token and a fresh proof.",
        discussion: """
            What the token is bound by decides what is sent: Authorization: Bearer, or DPoP with a proof, or a Workload \
            Identity Token with a Workload Proof Token. Where the gateway asks for its nonce, the call is made once more.
            Prints the status and the body. Exit codes: 0 the answer is 2xx, 1 it is another or the handshake was \
            refused, 2 could not run.
            """)

    @Argument(help: ArgumentHelp("The directory that dev init wrote.", valueName: "dir"))
    var directory: String

    @Argument(help: ArgumentHelp("The agent: a name under DIR/agents, or the path of its folder.", valueName: "agent"))
    var agent: String

    @Argument(help: "The method, such as GET.")
    var method: String

    @Argument(help: "Where to, as an https URL.")
    var url: String

    @Option(
        help: ArgumentHelp("Send this other agent's token, as a thief would (SALLYPORT_TOKEN_OF).", valueName: "agent"))
    var tokenOf: String?

    @Flag(help: "Present no client certificate (SALLYPORT_NO_CERTIFICATE).")
    var noCertificate = false

    @Flag(help: "Send no token (SALLYPORT_NO_TOKEN).")
    var noToken = false

    @Flag(help: "Send no proof beside the token (SALLYPORT_NO_PROOF).")
    var noProof = false

    @Option(
        help: ArgumentHelp(
            "A further field; may be repeated (SALLYPORT_HEADER, one a line).", valueName: "name: value"))
    var header: [String] = []

    @Option(
        parsing: .unconditional, help: ArgumentHelp("The body of the request (SALLYPORT_DATA).", valueName: "string"))
    var data: String?

    func run() throws {
        guard let url = HTTPSURL(url) else {
            throw CommandFailure.couldNotRun("\(url) is not understood; give https://host:port/path")
        }
        let setup = TrialSetup(directory: directory)
        let folder = AgentFolder(of: agent, in: setup)
        var call = TrialCall(method: method, url: url)
        call.body = EnvironmentTwin.value(data, "SALLYPORT_DATA")
        call.fields = EnvironmentTwin.list(header, "SALLYPORT_HEADER")
        let lines = [method, self.url] + call.fields
        guard lines.allSatisfy({ !$0.utf8.contains(0x0A) && !$0.utf8.contains(0x0D) }) else {
            throw CommandFailure.couldNotRun("a method, URL or field may not hold a line break; remove it")
        }
        if try !EnvironmentTwin.flag(noCertificate, "SALLYPORT_NO_CERTIFICATE") {
            call.identity = try folder.readIdentity()
        }
        if try !EnvironmentTwin.flag(noToken, "SALLYPORT_NO_TOKEN") {
            let owner = EnvironmentTwin.value(tokenOf, "SALLYPORT_TOKEN_OF").map { AgentFolder(of: $0, in: setup) }
            let isProven = try !EnvironmentTwin.flag(noProof, "SALLYPORT_NO_PROOF")
            // The key is the caller's own, whosever the token is: that is what a thief has.
            call.credentials = TrialCredentials(
                token: try (owner ?? folder).readToken(), proofKey: isProven ? try folder.readProofKey() : nil)
        }
        let answer = try call.make(trusting: try setup.loadAuthority())
        StandardStream.output.write("HTTP \(answer.status)\n")
        StandardStream.output.write(answer.body)
        if let last = answer.body.last, last != UInt8(ascii: "\n") { StandardStream.output.write("\n") }
        guard (200..<300).contains(answer.status) else { throw CommandFailure.refused() }
    }
}
