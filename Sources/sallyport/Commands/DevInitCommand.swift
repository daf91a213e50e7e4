import ArgumentParser
import Configuration

/// `sallyport dev init`: writes a complete trial set-up.
struct DevInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a working trial set-up: authorities, certificates, keys and sallyport.yaml.",
        discussion: "Exit codes: 0 ok, 2 could not run.")

    @Argument(help: ArgumentHelp("The directory; made where it is absent.", valueName: "dir"))
    var directory: String

    @Option(
        help: ArgumentHelp("Where the gateway listens (SALLYPORT_LISTEN; default 127.0.0.1:8443).", valueName: "addr"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "The service behind it (SALLYPORT_UPSTREAM; default http://127.0.0.1:9000).", valueName: "url"))
    var upstream: String?

    @Option(
        help: ArgumentHelp(
            "Where health is served (SALLYPORT_OBSERVABILITY; default 127.0.0.1:9464).", valueName: "addr"))
    var observability: String?

    @Option(
        help: ArgumentHelp(
            "The agents' trust domain (SALLYPORT_TRUST_DOMAIN; default example.test).", valueName: "name"))
    var trustDomain: String?

    @Flag(help: "Replace a set-up that is there already (SALLYPORT_FORCE).")
    var force = false

    func run() throws {
        var plan = TrialPlan()
        plan.listen = try address(listen, "--listen", "SALLYPORT_LISTEN") ?? plan.listen
        plan.observability =
            try address(observability, "--observability", "SALLYPORT_OBSERVABILITY") ?? plan.observability
        plan.trustDomain = EnvironmentTwin.value(trustDomain, "SALLYPORT_TRUST_DOMAIN") ?? plan.trustDomain
        if let text = EnvironmentTwin.value(upstream, "SALLYPORT_UPSTREAM") {
            guard let target = UpstreamTarget(text), !target.isSecure else {
                throw CommandFailure.couldNotRun(
                    "--upstream \(text) is not understood; give http://host:port or unix:PATH")
            }
            plan.upstream = target
        }
        let setup = TrialSetup(directory: directory)
        try setup.write(plan, replacing: try EnvironmentTwin.flag(force, "SALLYPORT_FORCE"))
        StandardStream.output.write("\(setup.configurationFile)\n")
    }

    private func address(_ option: String?, _ name: String, _ variable: String) throws -> ListenAddress? {
        guard let text = EnvironmentTwin.value(option, variable) else { return nil }
        guard case .ip = ListenAddress(text), let address = ListenAddress(text) else {
            throw CommandFailure.couldNotRun("\(name) \(text) is not understood; give host:port or [v6]:port")
        }
        return address
    }
}
