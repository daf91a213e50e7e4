import ArgumentParser

/// The program: everything it does is a subcommand.
struct SallyportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sallyport",
        abstract: "A mutual-TLS gateway that checks, on every call, a token that is bound to its caller's key.",
        discussion: """
            Every option has a twin in the environment, named in its help; the command line wins.
            Exit codes: 0 ok, 1 refused or failed check, 2 could not run.
            """,
        version: "sallyport \(ProgramVersion.current)",
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, AuditCommand.self, RevokeCommand.self,
            StatusCommand.self, DevCommand.self,
        ])
}

/// The version of the program.
enum ProgramVersion {
    /// As `MAJOR.MINOR.PATCH`.
    static let current = "0.1.0"
}
