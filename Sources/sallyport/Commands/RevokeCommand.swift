import ArgumentParser
import Glibc
import Identity

/// `sallyport revoke`: revokes through the admin API of a running gateway, lists what is revoked, and takes it back.
struct RevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a token, an agent, a task, a chain, a certificate or a key, now.",
        discussion: """
            LEVEL and VALUE: token JTI (with --issuer), agent or chain SPIFFE-ID-OR-SUBJECT, task TASK or \
            ORCHESTRATION/TASK, certificate SHA-256 in lower-case hexadecimal (or --file PEM, or with --issuer a serial \
            number), key RFC-7638-THUMBPRINT, everything.
            Without an end a token is revoked for as long as its issuer's tokens may live, and everything else until the \
            last authority of the clients' certificates expires, which may take years: --expires-in 24h is enough for agents \
            that live for minutes. Revoked again, it keeps the later end.
            It returns when the revocation is on disk and every worker enforces it: connections of what is revoked are \
            closed, and its next request is refused.
            --all-of is for an emergency: with agent it revokes the agent and all that grew out of it. It shows what it \
            would hit and asks first, and so does everything.
            Exit codes: 0 done, 1 refused, 2 could not run.
            """)

    @Argument(help: ArgumentHelp("What kind of thing: \(RevocationRequest.levels).", valueName: "level"))
    var level: String?

    @Argument(help: ArgumentHelp("Its name.", valueName: "value"))
    var value: String?

    @Option(
        help: ArgumentHelp(
            "The certificate, the first of that PEM, in place of its SHA-256 (SALLYPORT_FILE).", valueName: "file"))
    var file: String?

    @OptionGroup(title: "The gateway")
    var gateway: AdminOptions

    @Option(help: ArgumentHelp("Whose token, or certificate, it is (SALLYPORT_ISSUER).", valueName: "issuer"))
    var issuer: String?

    @Option(help: ArgumentHelp("Why, for those who read it later (SALLYPORT_REASON).", valueName: "text"))
    var reason: String?

    @Option(
        help: ArgumentHelp(
            "When it ends, as RFC 3339; by default with the longest life of what it revokes (SALLYPORT_EXPIRES_AT).",
            valueName: "moment"))
    var expiresAt: String?

    @Option(help: ArgumentHelp("After how long it ends, such as 24h (SALLYPORT_EXPIRES_IN).", valueName: "duration"))
    var expiresIn: String?

    @Flag(help: "Say what it would hit now, and change nothing (SALLYPORT_PREVIEW).")
    var preview = false

    @Flag(help: "Everything of that name: agent, task or everything (SALLYPORT_ALL_OF).")
    var allOf = false

    @Flag(help: "Do not ask (SALLYPORT_YES).")
    var yes = false

    @Flag(help: "List what is revoked, all of it or that of LEVEL (SALLYPORT_LIST).")
    var list = false

    @Option(
        help: ArgumentHelp(
            "Take the revocation of that id back; may be repeated (SALLYPORT_UNDO, one a line).", valueName: "id"))
    var undo: [String] = []

    @Flag(help: "Write the list as JSON, one entry a line (SALLYPORT_JSON).")
    var json = false

    func run() throws {
        let undo = EnvironmentTwin.list(undo, "SALLYPORT_UNDO")
        if try EnvironmentTwin.flag(list, "SALLYPORT_LIST") {
            guard value == nil, file == nil, undo.isEmpty else {
                throw CommandFailure.couldNotRun("--list takes a level at most; leave the rest out")
            }
            return try writeList()
        }
        if !undo.isEmpty {
            guard level == nil, file == nil else {
                throw CommandFailure.couldNotRun(
                    "--undo takes one id; give it again for each further id, and nothing else")
            }
            return try take(back: undo)
        }
        try revoke(try request())
    }

    // MARK: Revoking

    /// What the command line and the environment ask for.
    private func request() throws -> RevocationRequest {
        var request = try RevocationRequest(
            level: level, value: value, file: EnvironmentTwin.value(file, "SALLYPORT_FILE"))
        request.issuer = EnvironmentTwin.value(issuer, "SALLYPORT_ISSUER")
        request.reason = EnvironmentTwin.value(reason, "SALLYPORT_REASON")
        request.expiresAt = try RevocationRequest.expiry(
            at: EnvironmentTwin.value(expiresAt, "SALLYPORT_EXPIRES_AT"),
            in: EnvironmentTwin.value(expiresIn, "SALLYPORT_EXPIRES_IN"), now: SystemClock.now)
        request.isAllOf = try EnvironmentTwin.flag(allOf, "SALLYPORT_ALL_OF")
        return request
    }

    private func revoke(_ request: RevocationRequest) throws {
        let client = try gateway.client()
        let isPreview = try EnvironmentTwin.flag(preview, "SALLYPORT_PREVIEW")
        if let hint = request.hint { StandardStream.error.write("note: \(hint)\n") }
        if isPreview || request.needsQuestion {
            let answer = try client.ask("POST", "/v1/revocations?preview=true", json: request.json)
            StandardStream.output.write(try RevocationPreviewText(answer).text(of: request.name))
            if isPreview { return }
            try confirm(request)
        }
        let answer = try client.ask("POST", "/v1/revocations", json: request.json)
        StandardStream.output.write(try RevocationReceiptText(answer).text(of: request, way: gateway.words))
    }

    /// Asks a person, unless told not to.
    private func confirm(_ request: RevocationRequest) throws {
        if try EnvironmentTwin.flag(yes, "SALLYPORT_YES") { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure.couldNotRun(
                "stdin is no terminal, so nobody can be asked; give --yes to revoke without a question")
        }
        StandardStream.error.write("revoke \(request.name)? [y/N] ")
        guard let answer = readLine()?.lowercased(), answer == "y" || answer == "yes" else {
            throw CommandFailure.refused("nothing was revoked")
        }
    }

    // MARK: What is revoked

    private func writeList() throws {
        let client = try gateway.client()
        let isJSON = try EnvironmentTwin.flag(json, "SALLYPORT_JSON")
        let filter = try level.map { "&level=\(try RevocationRequest.level($0).rawValue)" } ?? ""
        var rows = [RevocationListText.head]
        var after: String?
        repeat {
            let place = after.map { "&after=\($0)" } ?? ""
            let answer = try client.ask("GET", "/v1/revocations?limit=1000\(filter)\(place)")
            let page = try RevocationListText(answer)
            if isJSON {
                StandardStream.output.write(page.entries.map { $0 + "\n" }.joined())
            } else {
                rows += page.rows
            }
            after = page.next
        } while after != nil
        if isJSON { return }
        StandardStream.output.write(rows.count == 1 ? "nothing is revoked\n" : TerminalText.table(rows))
    }

    /// Takes each of them back; what the gateway refuses keeps none of the others.
    private func take(back ids: [String]) throws {
        if let id = ids.first(where: { $0.isEmpty || !$0.utf8.allSatisfy(\.isIdentifierByte) }) {
            throw CommandFailure.couldNotRun("\(TerminalText.printable(id)) is no id; see sallyport revoke --list")
        }
        let client = try gateway.client()
        var refusals: [String] = []
        for id in ids {
            do {
                _ = try client.ask("DELETE", "/v1/revocations/\(id)")
                StandardStream.output.write("revocation \(id) is taken back: no worker enforces it any more\n")
            } catch let failure as CommandFailure where failure.status == .refused {
                refusals.append("\(id): \(failure.message ?? "refused")")
            }
        }
        if !refusals.isEmpty { throw CommandFailure.refused(refusals.joined(separator: "\n")) }
    }
}

extension UInt8 {
    /// Whether ids hold it; no other byte may reach the target of a request.
    fileprivate var isIdentifierByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
