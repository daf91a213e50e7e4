import ArgumentParser
import Configuration

/// `sallyport dev upstream`: an echo service.
struct DevUpstreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstream",
        abstract: "Run a service that answers with what it received, as JSON.",
        discussion: """
            The answer holds method, target, headers (in order, as received), body_sha256, body_bytes and, where it is \
            text of at most 64 KiB, body. The query may ask for more: bytes=N answers N bytes (0 to 250, again and \
            again) instead, status=CODE sets the status, chunked=1 answers in chunks, delay=SECONDS waits before.
            """)

    @Option(help: ArgumentHelp("Where to listen (SALLYPORT_LISTEN; default 127.0.0.1:9000).", valueName: "addr"))
    var listen: String?

    func run() throws {
        let text = EnvironmentTwin.value(listen, "SALLYPORT_LISTEN") ?? "127.0.0.1:9000"
        guard let address = ListenAddress(text) else {
            throw CommandFailure.couldNotRun(
                "--listen \(text) is not understood; give host:port, [v6]:port or unix:PATH")
        }
        let service = try EchoService(listeningAt: address)
        StandardStream.error.write("listening at \(address)\n")
        try service.run()
    }
}
