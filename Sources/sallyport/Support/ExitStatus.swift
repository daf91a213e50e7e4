/// What the program's exit code says.
enum ExitStatus: Int32 {
    /// The command did what it was asked.
    case success = 0
    /// The answer is no: a call was refused, or a check failed.
    case refused = 1
    /// The command could not do its work.
    case couldNotRun = 2
}

/// The end of a command that did not succeed.
struct CommandFailure: Error {
    let status: ExitStatus
    /// One sentence that says what to do, or nothing where all is said already.
    let message: String?

    /// The command could not do its work, and why.
    static func couldNotRun(_ message: String) -> CommandFailure {
        CommandFailure(status: .couldNotRun, message: message)
    }

    /// The answer is no, and why where that is not said yet.
    static func refused(_ message: String? = nil) -> CommandFailure {
        CommandFailure(status: .refused, message: message)
    }
}
