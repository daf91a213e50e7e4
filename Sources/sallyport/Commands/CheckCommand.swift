import ArgumentParser
import Bytes
import Configuration

/// `sallyport check`: validates a configuration and every file it names; opens no socket.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate a configuration and every file it names.",
        discussion: """
            Prints everything that is wrong to standard error, one fault a line, as FILE:LINE: KEY.PATH: SENTENCE, and \
            what is only doubtful as a warning. It opens no socket.
            """)

    @Option(help: ArgumentHelp("The configuration (SALLYPORT_CONFIG).", valueName: "file"))
    var config: String?

    func run() throws {
        let file = try EnvironmentTwin.required(config, "--config", "SALLYPORT_CONFIG")
        guard FileSystem.exists(file) else {
            throw CommandFailure.couldNotRun("there is no file \(file); give the path of a configuration")
        }
        do {
            let configuration = try GatewayConfiguration.load(file: file, environment: EnvironmentTwin.environment)
            for warning in configuration.warnings { StandardStream.error.write("warning: \(warning)\n") }
            StandardStream.output.write(Self.summary(of: configuration, file) + "\n")
        } catch {
            for fault in error.faults { StandardStream.error.write("\(fault)\n") }
            throw CommandFailure.refused()
        }
    }

    /// One line that says what was found good.
    static func summary(of configuration: GatewayConfiguration, _ file: String) -> String {
        let parts = [
            count(configuration.listeners.count, "listener"), count(configuration.issuers.count, "issuer"),
            count(configuration.routes.count, "route"), count(configuration.upstreams.count, "upstream"),
            count(configuration.warnings.count, "warning"),
        ]
        return "\(file): ok: \(parts.joined(separator: ", ")), SHA-256 \(configuration.digest.hexadecimal)"
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
