import Bytes
import Cryptography
import Glibc
import Tokens

/// Reads the section `revocation`: the store here, each feed in a ``FeedSection``.
struct RevocationSection {
    private static let keys = ["store", "maximum_staleness", "when_stale", "feeds"]
    private static let standardPath = "state/revocations.db"

    let context: LoadContext
    let issuers: [TokenIssuer]
    let issuerNames: NameRegister
    let listeners: [ListenerConfiguration]

    /// The configuration, or `nil` inside the result where nothing needs a store; nothing where it is wrong.
    ///
    /// - Parameter isNeeded: whether revocations can be made although the section is absent.
    func read(_ reader: DocumentReader?, isNeeded: Bool) -> (configuration: RevocationConfiguration?, Void)? {
        let standard = context.place.resolve(Self.standardPath)
        guard let reader else {
            return (isNeeded ? RevocationConfiguration(storePath: standard, feeds: []) : nil, ())
        }
        guard let section = reader.section(Self.keys) else { return nil }
        let path = section.optional("store").map(readStore) ?? standard
        let staleness = FeedStaleness.read(section, standard: .standard)
        guard let staleness else { return nil }
        var names = NameRegister(kind: "feed")
        var endpoints: [String: Int] = [:]
        var feeds: [FeedConfiguration] = []
        for item in section.optional("feeds")?.items() ?? [] {
            let feed = FeedSection(
                context: context, issuers: issuers, issuerNames: issuerNames, listeners: listeners,
                staleness: staleness)
            if let feed = feed.read(item, names: &names, endpoints: &endpoints) { feeds.append(feed) }
        }
        guard let path else { return nil }
        return (RevocationConfiguration(storePath: path, feeds: feeds), ())
    }

    private func readStore(_ reader: DocumentReader) -> String? {
        if reader.node.entry("redis") != nil || reader.node.content == .scalar("redis") {
            reader.refuse("redis is not built yet in this version; write path: \(Self.standardPath)")
            return nil
        }
        guard let section = reader.section(["path"]),
            let reader = section.required("path", "the file of the store, such as \(Self.standardPath)"),
            let path = reader.text()
        else { return nil }
        let resolved = context.place.resolve(path)
        var status = stat()
        if unsafe stat(resolved, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            reader.refuse("\(resolved) is not a regular file; name one, or a path where one can be made")
            return nil
        }
        return resolved
    }
}

/// How old what feeds have told may become, and what then.
struct FeedStaleness {
    let maximum: Interval
    let denies: Bool

    /// Half a minute, and no.
    static let standard = FeedStaleness(maximum: .seconds(30), denies: true)

    private enum WhenStale: String, CaseIterable { case deny, allow }

    /// Reads `maximum_staleness` and `when_stale` of a section.
    static func read(_ section: SectionReader, standard: FeedStaleness) -> FeedStaleness? {
        let maximum =
            section.optional("maximum_staleness").map { $0.duration(in: .seconds(1)...Interval.seconds(24 * 3600)) }
            ?? standard.maximum
        let reader = section.optional("when_stale")
        let whenStale = reader.map { $0.choice(WhenStale.self) } ?? (standard.denies ? .deny : .allow)
        if let reader, whenStale == .allow {
            reader.warn("dangerous: while a feed is silent, what it revokes is let in; write deny")
        }
        guard let maximum, let whenStale else { return nil }
        return FeedStaleness(maximum: maximum, denies: whenStale == .deny)
    }
}
