import ArgumentParser
import Glibc

// A reader that goes away is reported by write() rather than by a signal that ends the process.
_ = signal(SIGPIPE, SIG_IGN)
// libcurl would write the secrets of its TLS connections to the file that this names.
_ = unsafe unsetenv("SSLKEYLOGFILE")

do {
    var command = try SallyportCommand.parseAsRoot()
    try command.run()
} catch let failure as CommandFailure {
    if let message = failure.message { StandardStream.error.write("sallyport: \(message)\n") }
    exit(failure.status.rawValue)
} catch {
    // Requests for help and for the version arrive as errors too.
    let isRequest = SallyportCommand.exitCode(for: error) == .success
    guard isRequest else {
        StandardStream.error.write("sallyport: \(SallyportCommand.message(for: error)); see sallyport --help\n")
        exit(ExitStatus.couldNotRun.rawValue)
    }
    StandardStream.output.write(SallyportCommand.fullMessage(for: error) + "\n")
}
