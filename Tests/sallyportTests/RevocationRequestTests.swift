import Bytes
import Identity
import Testing

@testable import sallyport

@Suite("What sallyport revoke asks")
struct RevocationRequestTests {
    private static let now = UnixTime(seconds: 1_800_000_000)

    @Test("A level and a value are enough")
    func plain() throws {
        let request = try RevocationRequest(level: "agent", value: "spiffe://example.test/a")
        #expect(request.level == .agent)
        #expect(request.json == #"{"level":"agent","value":"spiffe://example.test/a"}"#)
        #expect(request.name == "agent spiffe://example.test/a")
        #expect(!request.needsQuestion)
    }

    @Test("Everything can be said")
    func whole() throws {
        var request = try RevocationRequest(level: "token", value: "j-1")
        request.issuer = "https://i"
        request.reason = "a \"b\""
        request.expiresAt = Self.now
        #expect(
            request.json
                == #"{"level":"token","value":"j-1","issuer":"https://i","reason":"a \"b\"","expires_at":"2027-01-15T08:00:00.000000Z"}"#
        )
    }

    @Test("All of something, and everything, is asked about first")
    func questions() throws {
        var request = try RevocationRequest(level: "agent", value: "a")
        request.isAllOf = true
        #expect(request.needsQuestion)
        #expect(request.name == "all of agent a")
        #expect(request.json == #"{"level":"agent","value":"a","all_of":true}"#)
        let everything = try RevocationRequest(level: "everything", value: nil)
        #expect(everything.needsQuestion)
        #expect(everything.json == #"{"level":"everything"}"#)
        #expect(everything.name == "everything")
    }

    @Test(
        "What cannot be meant is refused before the gateway is asked",
        arguments: [(nil, nil), ("agent", nil), ("Agent", "a"), ("session", "a")] as [(String?, String?)])
    func refused(_ level: String?, _ value: String?) throws {
        let failure = #expect(throws: CommandFailure.self) { try RevocationRequest(level: level, value: value) }
        #expect(failure?.status == .couldNotRun)
    }

    @Test("An end is a moment, or a duration from now on")
    func expiry() throws {
        #expect(try RevocationRequest.expiry(at: nil, in: nil, now: Self.now) == nil)
        #expect(try RevocationRequest.expiry(at: nil, in: "24h", now: Self.now) == Self.now + .seconds(86_400))
        #expect(try RevocationRequest.expiry(at: "2027-01-15T09:00:00+01:00", in: nil, now: Self.now) == Self.now)
    }

    @Test(
        "An end that is none is refused",
        arguments: [
            ("tomorrow", nil), (nil, "5"), (nil, "0s"), (nil, "-1h"), ("2027-01-15T09:00:00Z", "1h"),
        ] as [(String?, String?)])
    func noExpiry(_ at: String?, _ interval: String?) {
        let failure = #expect(throws: CommandFailure.self) {
            try RevocationRequest.expiry(at: at, in: interval, now: Self.now)
        }
        #expect(failure?.status == .couldNotRun)
    }
}
