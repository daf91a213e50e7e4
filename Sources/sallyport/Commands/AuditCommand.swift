import ArgumentParser
import Server

/// `sallyport audit`: reads audit logs.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Read and verify an audit log.", subcommands: [AuditVerifyCommand.self])
}

/// `sallyport audit verify`: checks a log's chain from its first record to its last.
struct AuditVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a log and name the first bad record.",
        discussion: "Exit codes: 0 intact, 1 tampered, 2 unreadable.")

    @Argument(help: ArgumentHelp("The directory of the log.", valueName: "dir"))
    var directory: String

    @Option(help: ArgumentHelp("The public key of the checkpoints (SALLYPORT_KEY); not built yet.", valueName: "pub"))
    var key: String?

    @Option(
        help: ArgumentHelp("A checkpoint kept elsewhere (SALLYPORT_CHECKPOINT); not built yet.", valueName: "file"))
    var checkpoint: String?

    func run() throws {
        for (option, variable, value) in [
            ("--key", "SALLYPORT_KEY", key), ("--checkpoint", "SALLYPORT_CHECKPOINT", checkpoint),
        ]
        where EnvironmentTwin.value(value, variable) != nil {
            throw CommandFailure.couldNotRun("\(option) is not built yet in this version; verify the chain without it")
        }
        let verification = AuditDirectory(path: directory).verify()
        switch verification {
        case .intact: StandardStream.output.write("\(verification)\n")
        case .missing, .tampered: throw CommandFailure.refused("\(verification)")
        case .unreadable: throw CommandFailure.couldNotRun("\(verification)")
        }
    }
}
