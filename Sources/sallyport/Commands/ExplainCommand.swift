import ArgumentParser
import Bytes
import Configuration

/// `sallyport explain`: decides about one captured request offline, and tells why.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell, phase by phase, why a captured request is allowed or refused.",
        discussion: """
            The request is JSON or YAML with method, url, headers (a mapping, or a list of [name, value]), \
            client_certificate (PEM) or client_certificate_file, and optionally time and listener; or a head of HTTP/1.1 \
            with a PEM certificate behind it. It is decided by the code that serves, without a socket: nobody is asked, \
            nothing is known of used proofs, nonces and revocations, and that the client holds its certificate's key is \
            taken for granted. Exit codes: 0 allowed, 1 refused or undecided, 2 could not run.
            """)

    @Option(help: ArgumentHelp("The configuration (SALLYPORT_CONFIG).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The captured request (SALLYPORT_REQUEST).", valueName: "file"))
    var request: String?

    @Option(
        help: ArgumentHelp(
            "The moment of the decision (SALLYPORT_TIME; default the time in the request, else now).",
            valueName: "rfc3339"))
    var time: String?

    func run() throws {
        let file = try EnvironmentTwin.required(config, "--config", "SALLYPORT_CONFIG")
        let requestFile = try EnvironmentTwin.required(request, "--request", "SALLYPORT_REQUEST")
        guard FileSystem.exists(file) else {
            throw CommandFailure.couldNotRun("there is no file \(file); give the path of a configuration")
        }
        let captured = try CapturedRequest(file: requestFile)
        let now = try EnvironmentTwin.value(time, "SALLYPORT_TIME").map(Self.read) ?? captured.time ?? SystemClock.now
        let explanation = try Explainer(configuration: try Self.load(file), now: now).explain(captured)
        StandardStream.output.write(explanation.lines.joined(separator: "\n") + "\n")
        guard explanation.isAllowed else { throw CommandFailure.refused() }
    }

    private static func read(_ text: String) throws -> UnixTime {
        guard let time = UnixTime(rfc3339: text) else {
            throw CommandFailure.couldNotRun("--time \(text) is not understood; write it as 2026-11-21T01:22:46Z")
        }
        return time
    }

    private static func load(_ file: String) throws -> GatewayConfiguration {
        do { return try GatewayConfiguration.load(file: file, environment: EnvironmentTwin.environment) } catch {
            for fault in error.faults { StandardStream.error.write("\(fault)\n") }
            throw CommandFailure.couldNotRun("the configuration is not valid; correct it first")
        }
    }
}
