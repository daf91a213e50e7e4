import Bytes
import Cryptography
import Foundation
import Identity
import Revocation
import Testing
import Tokens

@testable import Configuration

@Suite("The section revocation")
struct RevocationSectionTests {
    private let files: TrialFiles

    private static let statusList = """
        { name: lists, type: status_list, url: "https://broker.example.test/lists/*", issuer: https://broker.example.test }
        """
    private static let push = """
        { name: pushed, type: set_push, listener: agents, path: /events, issuer: https://signals.example.test, \
        audience: urn:gateway, authorization_file: client.secret, jwks_file: broker.jwks.json, algorithms: [ES256], \
        heartbeat: 5m }
        """
    private static let poll = """
        { name: polled, type: set_poll, url: "https://signals.example.test/poll", issuer: https://signals.example.test, \
        audience: urn:gateway, authorization_file: client.secret, jwks_file: broker.jwks.json, algorithms: [ES256] }
        """

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    /// The example with a section of that text.
    private func load(_ section: String) throws -> Result<GatewayConfiguration, ConfigurationFaults> {
        try files.load("revocation: \(section)\n" + TrialFiles.example)
    }

    private func feed(_ text: String) throws -> FeedConfiguration {
        let configuration = try load("{ feeds: [\(text)] }").get()
        return try #require(configuration.revocation?.feeds.first)
    }

    private func faults(_ section: String) throws -> [String] {
        switch try load(section) {
        case .success: []
        case .failure(let faults): faults.faults.map { "\($0.keyPath): \($0.message)" }
        }
    }

    // MARK: The store

    @Test("Without the section there is no store")
    func absent() throws {
        let configuration = try files.load(TrialFiles.example).get()
        #expect(configuration.revocation == nil)
    }

    @Test("The store lies beside the file, by default in state")
    func store() throws {
        #expect(try load("{}").get().revocation?.storePath == files.directory + "/state/revocations.db")
        #expect(try load("{ store: { path: a.db } }").get().revocation?.storePath == files.directory + "/a.db")
        #expect(try load("{ store: { path: /a/b.db } }").get().revocation?.storePath == "/a/b.db")
    }

    @Test(
        "A store that cannot be is refused",
        arguments: [
            ("{ store: redis }", "revocation.store: redis is not built yet"),
            ("{ store: { redis: { url: a } } }", "revocation.store: redis is not built yet"),
            ("{ store: {} }", "revocation.store.path: the key is missing"),
            ("{ store: { path: folder } }", "revocation.store.path: "),
            ("{ store: { path: a, mode: b } }", "revocation.store.mode: there is no such key"),
            ("{ stroe: { path: a } }", "revocation.stroe: there is no such key; did you mean store?"),
        ])
    func badStore(section: String, fault: String) throws {
        let faults = try faults(section)
        #expect(faults.count == 1)
        #expect(faults.allSatisfy { $0.hasPrefix(fault) }, "\(faults)")
    }

    // MARK: Feeds

    @Test("A feed of status lists is read, with defaults for what is left out")
    func lists() throws {
        let feed = try feed(Self.statusList)
        #expect(feed.name == "lists")
        #expect(feed.issuer == "https://broker.example.test")
        #expect(feed.maximumStaleness == .seconds(30))
        #expect(feed.deniesWhenStale)
        let pattern = try #require(StatusListPattern("https://broker.example.test/lists/*"))
        #expect(feed.kind == .statusList(StatusListLocation(pattern: pattern, refreshInterval: .seconds(15))))
        guard case .issuer = feed.keys else {
            Issue.record("the keys are not the issuer's")
            return
        }
    }

    @Test("A feed that is delivered is read")
    func pushed() throws {
        let feed = try feed(Self.push)
        #expect(
            feed.kind
                == .push(
                    PushEndpoint(
                        listener: "agents", path: "/events", audience: "urn:gateway",
                        authorization: ClientSecret(Array("hunter2".utf8)), heartbeat: .seconds(300))))
        guard case .own(let keys, let algorithms) = feed.keys else {
            Issue.record("the keys are not the feed's own")
            return
        }
        #expect(keys.count == 1)
        #expect(algorithms == [.es256])
    }

    @Test(
        "Where anybody may deliver, the operator is told",
        arguments: [(true, "required", 0), (true, "optional", 0), (false, "required", 0), (false, "optional", 1)])
    func openEndpoint(hasSecret: Bool, demand: String, warnings: Int) throws {
        let feed = hasSecret ? Self.push : Self.push.replacing("authorization_file: client.secret, ", with: "")
        let example = TrialFiles.example.replacing("certificate: required", with: "certificate: \(demand)")
        let configuration = try files.load("revocation: { feeds: [\(feed)] }\n" + example).get()
        #expect(configuration.warnings.filter { $0.contains("revocation.feeds[0].path: whoever") }.count == warnings)
    }

    @Test("A feed that is asked is read; waiting is up to the operator")
    func polled() throws {
        let feed = try feed(Self.poll)
        let endpoint = PollEndpoint(
            url: "https://signals.example.test/poll", audience: "urn:gateway",
            authorization: ClientSecret(Array("hunter2".utf8)), pollInterval: .seconds(5))
        #expect(feed.kind == .poll(endpoint))
        let waiting = try self.feed(
            Self.poll.replacing(
                "algorithms: [ES256]", with: "algorithms: [ES256], long_poll: 25s, ca_file: agents-ca.pem"))
        guard case .poll(let endpoint) = waiting.kind else {
            Issue.record("it is not asked")
            return
        }
        #expect(endpoint.longPoll == .seconds(25))
        #expect(endpoint.authorityFile == files.directory + "/agents-ca.pem")
    }

    @Test("A feed's own staleness comes before that of all, and intervals leave room below it")
    func staleness() throws {
        let section = "{ maximum_staleness: 2m, when_stale: allow, feeds: [\(Self.statusList), FEED] }"
        let second = Self.poll.replacing("}", with: ", maximum_staleness: 4s, when_stale: deny }")
        let configuration = try load(section.replacing("FEED", with: second)).get()
        let feeds = try #require(configuration.revocation?.feeds)
        #expect(feeds.map(\.maximumStaleness) == [.seconds(120), .seconds(4)])
        #expect(feeds.map(\.deniesWhenStale) == [false, true])
        #expect(configuration.warnings.filter { $0.contains("revocation.when_stale: dangerous") }.count == 1)
        guard case .poll(let endpoint) = try #require(feeds.last).kind else {
            Issue.record("it is not asked")
            return
        }
        #expect(endpoint.pollInterval == .seconds(2))
    }

    @Test(
        "What is wrong with a feed is one fault that names the key",
        arguments: [
            ("type: status_list", "type: redis", "type: redis is not built yet"),
            ("type: status_list", "type: crl", "type: \"crl\" is not understood"),
            ("type: status_list, ", "", ": the key type is missing"),
            ("name: lists", "name: a b", "name: \"a b\" is not understood"),
            ("name: lists, ", "", "name: the key is missing"),
            ("https://broker.example.test/lists/*", "https://broker.example.test/lists*", "url: "),
            ("https://broker.example.test/lists/*", "https://*", "url: "),
            ("https://broker.example.test/lists/*", "http://broker.example.test/lists/*", "url: "),
            ("issuer: https://broker.example.test", "issuer: https://other.example.test", "issuer: there is no issuer"),
            (" }", ", refresh_interval: 30s }", "refresh_interval: the feed would be stale"),
            (" }", ", refresh_interval: 0s }", "refresh_interval: the duration is out of range"),
            (" }", ", maximum_staleness: 25h }", "maximum_staleness: the duration is out of range"),
            (" }", ", when_stale: warn }", "when_stale: \"warn\" is not understood"),
            (" }", ", audience: a }", "audience: there is no such key"),
            (" }", ", algorithms: [ES256] }", "algorithms: this is for keys from a jwks_file only"),
            (" }", ", jwks_file: broker.jwks.json }", "algorithms: the key is missing"),
            (" }", ", jwks_file: empty.jwks.json, algorithms: [ES256] }", "jwks_file: the file cannot be used"),
            (" }", ", ca_file: garbage.pem }", "ca_file: the file holds no certificate"),
        ])
    func badList(part: String, replacement: String, fault: String) throws {
        let faults = try faults("{ feeds: [\(Self.statusList.replacing(part, with: replacement))] }")
        #expect(faults.count == 1)
        let keyPath = "revocation.feeds[0]" + (fault.hasPrefix(":") ? "" : ".")
        #expect(faults.allSatisfy { $0.hasPrefix(keyPath + fault) }, "\(faults)")
    }

    @Test(
        "What is wrong with a feed of events is one fault that names the key",
        arguments: [
            (
                push, "listener: agents", "listener: agent",
                "listener: there is no listener \"agent\"; did you mean agents?"
            ),
            (push, "path: /events", "path: events", "path: \"events\" is not understood"),
            (push, "path: /events", "path: /events/../a", "path: "),
            (push, "path: /events", "path: \"/a%20b\"", "path: "),
            (push, "audience: urn:gateway, ", "", "audience: the key is missing"),
            (push, "client.secret", "two.secret", "authorization_file: the file holds no secret"),
            (push, "heartbeat: 5m", "heartbeat: 0s", "heartbeat: the duration is out of range"),
            (push, "heartbeat: 5m", "maximum_staleness: 5m", "maximum_staleness: a feed that is delivered"),
            (push, "heartbeat: 5m", "when_stale: deny", "when_stale: without heartbeat"),
            (push, "jwks_file: broker.jwks.json, algorithms: [ES256], ", "", "jwks_file: the key is missing"),
            (poll, "https://signals.example.test/poll", "http://signals.example.test/poll", "url: "),
            (poll, "algorithms: [ES256]", "algorithms: [ES256], poll_interval: 30s", "poll_interval: the feed"),
            (poll, "algorithms: [ES256]", "algorithms: [ES256], long_poll: 26s", "long_poll: the feed would be stale"),
            (poll, "algorithms: [ES256]", "algorithms: [HS256]", "algorithms[0]: \"HS256\" is not understood"),
            (
                poll, "audience: urn:gateway", "audience: urn:gateway, listener: agents",
                "listener: there is no such key"
            ),
        ])
    func badEvents(feed: String, part: String, replacement: String, fault: String) throws {
        #expect(try faults("{ feeds: [\(feed)] }") == [])
        let faults = try faults("{ feeds: [\(feed.replacing(part, with: replacement))] }")
        #expect(faults.count == 1)
        #expect(faults.allSatisfy { $0.hasPrefix("revocation.feeds[0]." + fault) }, "\(faults)")
    }

    @Test("Two feeds have neither one name nor one endpoint")
    func unique() throws {
        let names = try faults("{ feeds: [\(Self.push), \(Self.push.replacing("/events", with: "/more"))] }")
        #expect(names.count == 1)
        #expect(names.allSatisfy { $0.hasPrefix("revocation.feeds[1].name: another feed on line 1") })
        let places = try faults("{ feeds: [\(Self.push), \(Self.push.replacing("name: pushed", with: "name: b"))] }")
        #expect(places.count == 1)
        #expect(places.allSatisfy { $0.hasPrefix("revocation.feeds[1].path: the feed on line 1 has this endpoint") })
    }

    // MARK: Terms

    @Test("What its maker does not limit lasts as long as what it takes back can live")
    func terms() throws {
        let terms = try load("{}").get().revocationTerms
        let now = TrialFiles.now
        // An hour, and a leeway at either end.
        let token = now + .seconds(3660)
        #expect(terms.expiry(of: .token, issuer: "https://broker.example.test", now: now) == token)
        #expect(terms.expiry(of: .token, issuer: "https://stranger.example.test", now: now) == token)
        // The only authority expires in an hour, but another may come with a reload.
        let year = Interval.seconds(366 * 24 * 3600)
        #expect(terms.expiry(of: .agent, issuer: nil, now: now) == now + year)
        let end = now + .seconds(400 * 24 * 3600)
        let later = RevocationTerms(tokenLifetimes: ["a": .seconds(1)], lastAuthorityEnd: end)
        #expect(later.expiry(of: .certificate, issuer: nil, now: now) == end)
        #expect(later.expiry(of: .everything, issuer: nil, now: now) == UnixTime(nanoseconds: .max))
        #expect(RevocationTerms.unlimited.expiry(of: .key, issuer: nil, now: now) == UnixTime(nanoseconds: .max))
    }
}
