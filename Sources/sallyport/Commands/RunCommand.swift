import ArgumentParser
import Configuration
import Logging
import Server

/// `sallyport run`: the gateway, in the foreground until it is told to stop.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the gateway in the foreground.",
        discussion: """
            SIGTERM and SIGINT drain it: no new connections, those that there are end with their requests; a second one \
            stops it at once. SIGHUP reloads the configuration; a bad one leaves the old one serving. SIGUSR1 re-opens \
            the audit log.
            """)

    @Option(help: ArgumentHelp("The configuration (SALLYPORT_CONFIG).", valueName: "file"))
    var config: String?

    func run() throws {
        let file = try EnvironmentTwin.required(config, "--config", "SALLYPORT_CONFIG")
        guard FileSystem.exists(file) else {
            throw CommandFailure.couldNotRun("there is no file \(file); give the path of a configuration")
        }
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        do {
            let logger = Logger(label: "sallyport")
            try Gateway(file: file, environment: EnvironmentTwin.environment, logger: logger).run()
        } catch let error as ConfigurationFaults {
            for fault in error.faults { StandardStream.error.write("\(fault)\n") }
            throw CommandFailure.refused()
        } catch {
            throw CommandFailure.couldNotRun("\(error)")
        }
    }
}
