import ArgumentParser

/// `sallyport status`: the running gateway at a glance.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the running gateway: listeners, agents, decisions, issuers' keys, revocation.",
        discussion: "Exit codes: 0 it is ready, 1 it is not, or drains, 2 it could not be asked.")

    @OptionGroup(title: "The gateway")
    var gateway: AdminOptions

    @Flag(help: "Write the gateway's answer as JSON (SALLYPORT_JSON).")
    var json = false

    func run() throws {
        let answer = try gateway.client().ask("GET", "/v1/status")
        let status = try StatusText(answer)
        if try EnvironmentTwin.flag(json, "SALLYPORT_JSON") {
            StandardStream.output.write(answer.body)
        } else {
            StandardStream.output.write(status.text)
        }
        guard status.isReady else { throw CommandFailure.refused() }
    }
}
