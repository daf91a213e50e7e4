import Bytes
import Cryptography
import Identity
import Support
import Testing

@testable import Control

/// A keeper whose clocks are set by hand.
private final class TrialKeeper {
    static let civil = UnixTime(seconds: 1_800_000_000)

    var keeper: RevocationListKeeper
    var clock = MonotonicTime(nanoseconds: 1_000_000_000_000)

    init(_ location: RevocationListLocation, _ authorities: [Certificate]) {
        keeper = RevocationListKeeper(location: location, authorities: authorities, now: clock)
    }

    var isDue: Bool { keeper.isDue(at: clock) }
    /// Seconds to the next look.
    var pause: Int64? { keeper.nextEvent.map { ($0 - clock).nanoseconds / 1_000_000_000 } }

    func begin() -> OutgoingRequest? { keeper.begin() }

    func take(_ reading: RevocationListReading, at civil: UnixTime = civil) -> RevocationListOutcome {
        keeper.take(reading, at: clock, civil)
    }

    func take(_ lists: CertificateRevocationList..., tag: String? = nil) -> RevocationListOutcome {
        take(.lists(lists, entityTag: tag))
    }

    func fail(_ reason: String) -> String? { take(.failed(reason)).failure }

    func lapsed(at civil: UnixTime) -> [String] { keeper.lapsed(at: civil, clock) }

    func status(at civil: UnixTime = civil) -> RevocationListStatus { keeper.status(at: clock, civil) }
}

@Suite("Keeper of revocation lists")
struct RevocationListKeeperTests {
    private static let civil = TrialKeeper.civil
    private static let validity = civil - .seconds(3600)...civil + .seconds(86_400)
    private static let url = "https://ca.example.test/agents.crl"
    private let authority: CertificateAuthority

    init() throws {
        authority = try CertificateAuthority.make(commonName: "Agents", validFor: Self.validity)
    }

    private func file() -> TrialKeeper { TrialKeeper(.file("/lists.pem"), [authority.certificate]) }

    private func remote() -> TrialKeeper {
        TrialKeeper(
            .url(Self.url, refreshInterval: .seconds(300), authorityFile: "/ca.pem"), [authority.certificate])
    }

    private func list(
        _ number: UInt8?, name: String = "Agents", by signer: CertificateAuthority? = nil, revoked: [String] = [],
        until end: UnixTime = validity.upperBound
    ) throws -> CertificateRevocationList {
        var maker = RevocationListMaker(signer ?? authority, name: name, validFor: Self.validity.lowerBound...end)
        maker.extensions = number.map { [RevocationListMaker.number($0)] }
        maker.entries = revoked.map { RevocationListMaker.entry($0) }
        return try maker.list()
    }

    // MARK: When

    @Test("A file is looked at once a second, and never twice at once")
    func looks() throws {
        let keeper = file()
        #expect(keeper.isDue)
        #expect(keeper.begin()?.url == nil)
        #expect(!keeper.isDue)
        #expect(keeper.pause == nil)
        #expect(keeper.take(try list(1)).hasChanged)
        #expect(!keeper.isDue)
        keeper.clock = keeper.clock + .seconds(1)
        #expect(keeper.isDue)
    }

    @Test("A URL is fetched at once and then at its interval, with its authorities and the entity tag")
    func fetches() throws {
        let keeper = remote()
        let first = try #require(keeper.begin())
        #expect(first.url == Self.url)
        #expect(first.authorityFile == "/ca.pem")
        #expect(!first.dangerouslyAllowsPlainHTTP)
        #expect(first.fields.map(\.name) == ["accept"])
        _ = keeper.take(try list(1), tag: "\"one\"")
        keeper.clock = keeper.clock + .seconds(299)
        #expect(!keeper.isDue)
        keeper.clock = keeper.clock + .seconds(1)
        #expect(keeper.isDue)
        let second = try #require(keeper.begin())
        #expect(second.fields.last?.name == "if-none-match")
        #expect(second.fields.last?.value == "\"one\"")
        #expect(keeper.take(.unchanged) == RevocationListOutcome())
        #expect(keeper.keeper.lists.count == 1)
        #expect(keeper.status().age == .zero)
    }

    @Test("After a failure the pauses double up to a minute; what was there stays")
    func failures() throws {
        let keeper = remote()
        _ = keeper.take(try list(1))
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] as [Int64] {
            _ = keeper.fail("no answer in time")
            #expect(keeper.pause == pause)
        }
        #expect(keeper.keeper.lists.count == 1)
        #expect(keeper.status().lastFailure == "no answer in time")
        _ = keeper.take(try list(1))
        #expect(keeper.pause == 300)
        #expect(keeper.status().lastFailure == nil)
    }

    @Test("A failure is news once, until it is another or over")
    func news() throws {
        let keeper = file()
        #expect(keeper.fail("a") == "a")
        #expect(keeper.fail("a") == nil)
        #expect(keeper.take(.unchanged).failure == nil)
        #expect(keeper.status().lastFailure == "a")
        #expect(keeper.fail("b") == "b")
        _ = keeper.take(try list(1))
        #expect(keeper.fail("b") == "b")
    }

    @Test("An expired list is told of once, fetched at once, and then every half minute")
    func expiry() throws {
        let keeper = remote()
        let end = Self.civil + .seconds(10)
        _ = keeper.take(try list(1, until: end))
        #expect(keeper.keeper.nextExpiry(after: Self.civil) == end)
        #expect(keeper.lapsed(at: end) == [])
        #expect(!keeper.isDue)
        #expect(keeper.lapsed(at: end + .seconds(1)) == ["CN=Agents"])
        #expect(keeper.isDue)
        #expect(keeper.lapsed(at: end + .seconds(2)) == [])
        _ = keeper.take(.unchanged, at: end + .seconds(2))
        #expect(keeper.pause == 30)
        #expect(keeper.status(at: end + .seconds(1)).isExpired)
        #expect(!keeper.status(at: end).isExpired)
        _ = keeper.take(try list(2))
        #expect(keeper.lapsed(at: end + .seconds(3)) == [])
    }

    // MARK: What

    @Test("Only what differs is a change")
    func changes() throws {
        let keeper = file()
        let first = try list(1, revoked: ["01"])
        #expect(keeper.take(first).hasChanged)
        #expect(!keeper.take(first).hasChanged)
        #expect(keeper.take(try list(2, revoked: ["01", "02"])).hasChanged)
        #expect(keeper.keeper.lists.map(\.count) == [2])
        #expect(keeper.status().entries == 2)
    }

    @Test("An older list changes nothing, and is told of")
    func older() throws {
        let keeper = file()
        _ = keeper.take(try list(2, revoked: ["01"]))
        let outcome = keeper.take(try list(1))
        #expect(!outcome.hasChanged)
        #expect(outcome.older == ["CN=Agents"])
        #expect(keeper.keeper.lists.map(\.count) == [1])
        #expect(keeper.take(try list(3)).older == [])
        #expect(keeper.keeper.lists.map(\.count) == [0])
    }

    @Test("An older list stays out even after the newer one was taken away")
    func takenAway() throws {
        let keeper = file()
        let other = try list(
            1, name: "Others", by: CertificateAuthority.make(commonName: "Others", validFor: Self.validity))
        _ = keeper.take(try list(2, revoked: ["01"]), other)
        let dropped = keeper.take(other)
        #expect(dropped.hasChanged)
        #expect(dropped.dropped == ["CN=Agents"])
        let outcome = keeper.take(try list(1), other)
        #expect(outcome.older == ["CN=Agents"])
        #expect(!outcome.hasChanged)
        #expect(keeper.keeper.lists.map(\.issuer) == ["CN=Others"])
    }

    @Test("Of several lists of one issuer in a file the latest counts, in whatever order")
    func several() throws {
        let (old, new) = (try list(1), try list(2, revoked: ["01"]))
        for lists in [[old, new], [new, old]] {
            let keeper = file()
            for _ in 0..<2 {
                let outcome = keeper.take(.lists(lists, entityTag: nil))
                #expect(outcome.older == [])
                #expect(keeper.keeper.lists.map(\.digest) == [new.digest])
            }
        }
    }

    @Test("Lists of one issuer with different scopes stand beside each other")
    func scopes() throws {
        func part(_ number: UInt8) throws -> CertificateRevocationList {
            var maker = RevocationListMaker(authority, name: "Agents", validFor: Self.validity)
            let point = RevocationListMaker.point("http://ca.example/\(number).crl")
            maker.extensions = [RevocationListMaker.number(number), RevocationListMaker.scope(point)]
            return try maker.list()
        }
        let keeper = file()
        #expect(keeper.take(try part(2), try part(1)).older == [])
        #expect(keeper.keeper.lists.count == 2)
    }

    @Test("A list that its issuer did not sign is refused with all that came with it")
    func forged() throws {
        let stranger = try CertificateAuthority.make(commonName: "Agents", validFor: Self.validity)
        let keeper = file()
        _ = keeper.take(try list(1))
        let outcome = keeper.take(try list(2, revoked: ["01"]), try list(9, by: stranger))
        #expect(outcome.failure == "the list of CN=Agents is not signed by that authority")
        #expect(keeper.keeper.lists.map(\.count) == [0])
        // What was refused is no measure for what comes later.
        #expect(keeper.take(try list(2)).hasChanged)
    }
}

@Suite("Reading of revocation lists")
struct RevocationListReadingTests {
    private static let validity = UnixTime(seconds: 1_800_000_000)...UnixTime(seconds: 1_800_086_400)

    private func der() throws -> [UInt8] {
        let authority = try CertificateAuthority.make(commonName: "Agents", validFor: Self.validity)
        return try RevocationListMaker(authority, name: "Agents", validFor: Self.validity).der()
    }

    private func describe(_ reading: RevocationListReading) -> String {
        switch reading {
        case .failed(let reason): "failed: \(reason)"
        case .lists(let lists, let tag): "\(lists.count) \(tag ?? "-")"
        case .unchanged: "unchanged"
        }
    }

    @Test("An answer is lists, nothing new, or a failure")
    func answers() throws {
        let body = try der()
        func read(_ status: Int, _ fields: [String: String] = [:], _ body: [UInt8]) -> String {
            describe(RevocationListReading(.success(IncomingResponse(status: status, fields: fields, body: body))))
        }
        #expect(read(200, [:], body) == "1 -")
        #expect(read(200, ["etag": "\"a\""], body) == "1 \"a\"")
        #expect(read(200, ["etag": "\"a\r\n\""], body) == "1 -")
        #expect(read(304, [:], []) == "unchanged")
        #expect(read(404, [:], body) == "failed: the answer was 404")
        #expect(read(200, [:], []).hasPrefix("failed: a list is not there"))
        #expect(read(200, [:], Array("<html>".utf8)).hasPrefix("failed: a list is not there"))
        #expect(describe(RevocationListReading(.failure(.timedOut))) == "failed: no answer in time")
        #expect(describe(RevocationListReading(file: body)) == "1 -")
    }
}
