import Bytes
import Testing
import Tokens

@testable import Revocation

@Suite("StatusListTable")
struct StatusListTableTests {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let uri = "https://example.com/lists/1"

    private func list(expiresAt: UnixTime? = nil) -> StatusList {
        StatusList(
            uri: Self.uri, bits: 2, bytes: [0b0000_0100], issuedAt: Self.now - .seconds(1), expiresAt: expiresAt)
    }

    private func verdict(
        _ known: KnownStatusList?, index: Int = 0, uri: String = uri, issuer: String = "issuer", denies: Bool = true,
        now: UnixTime = now
    ) throws -> StatusVerdict {
        let pattern = try #require(StatusListPattern("https://example.com/lists/*"))
        let source = StatusListSource(
            feed: "lists", issuer: "issuer", pattern: pattern, deniesWhenStale: denies,
            lists: known.map { [Self.uri: $0] } ?? [:])
        return StatusListTable([source]).status(
            of: StatusReference(uri: uri, index: index), issuer: issuer, now: now)
    }

    private func fresh(_ list: StatusList) -> KnownStatusList {
        KnownStatusList(list: list, freshUntil: Self.now + .seconds(30))
    }

    @Test("Only the status 0 is valid, and a place that is not there is none")
    func statuses() throws {
        #expect(try verdict(fresh(list())) == .valid)
        #expect(try verdict(fresh(list()), index: 1) == .status(1))
        #expect(try verdict(fresh(list()), index: 3) == .valid)
        #expect(try verdict(fresh(list()), index: 4) == .outOfRange)
    }

    @Test("The claim of an issuer without lists says nothing; that of one with lists must name one of them")
    func issuers() throws {
        #expect(StatusListTable.none.isEmpty)
        #expect(
            StatusListTable.none.status(of: StatusReference(uri: "a", index: 0), issuer: "issuer", now: Self.now)
                == .notListed)
        #expect(try verdict(fresh(list()), issuer: "other") == .notListed)
        #expect(try verdict(fresh(list()), uri: "https://evil.example/lists/1") == .foreign)
        #expect(
            try verdict(fresh(list()), uri: "https://example.com/lists/2") == .unknown("https://example.com/lists/2"))
    }

    @Test("A list counts until it is stale, or until its issuer ends it")
    func staleness() throws {
        let known = fresh(list(expiresAt: Self.now + .seconds(10)))
        #expect(try verdict(known, now: Self.now + .seconds(9)) == .valid)
        #expect(try verdict(known, now: Self.now + .seconds(10)) == .stale(feed: "lists"))
        #expect(try verdict(fresh(list()), now: Self.now + .seconds(29)) == .valid)
        #expect(try verdict(fresh(list()), now: Self.now + .seconds(30)) == .stale(feed: "lists"))
        #expect(try verdict(KnownStatusList(list: list(), freshUntil: nil)) == .stale(feed: "lists"))
        #expect(try verdict(KnownStatusList(list: nil, freshUntil: nil)) == .stale(feed: "lists"))
    }

    @Test("What was taken back stays so in a stale list")
    func staleStatus() throws {
        let stale = KnownStatusList(list: list(), freshUntil: nil)
        #expect(try verdict(stale, index: 1) == .status(1))
        #expect(try verdict(stale, index: 1, denies: false) == .status(1))
        #expect(try verdict(stale, index: 4) == .outOfRange)
    }

    @Test("Where the operator allows stale lists, what they say counts, and what they cannot say is allowed")
    func allowed() throws {
        #expect(try verdict(KnownStatusList(list: list(), freshUntil: nil), denies: false) == .valid)
        #expect(try verdict(KnownStatusList(list: nil, freshUntil: nil), denies: false) == .valid)
        #expect(try verdict(nil, denies: false) == .unknown(Self.uri))
    }
}
