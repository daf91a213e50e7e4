import Bytes
import Cryptography
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

    @Test("All of everything is everything")
    func allOfEverything() throws {
        var request = try RevocationRequest(level: "everything", value: nil)
        request.isAllOf = true
        #expect(request.name == "everything")
    }

    @Test(
        "A name that is likely a slip is told of",
        arguments: [
            ("agent", "planner", true), ("chain", "planner", true), ("agent", "spiffe://example.test/planner", false),
            ("chain", "spiffe://example.test/planner", false), ("task", "t/", true), ("task", "/t", true),
            ("task", "o/t", false), ("token", "planner", false),
        ])
    func hint(_ level: String, _ value: String, _ isTold: Bool) throws {
        let hint = try RevocationRequest(level: level, value: value).hint
        #expect((hint != nil) == isTold)
    }

    /// A certificate in a file, and its fingerprint.
    private func withCertificate(_ body: (String, String) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        let authority = try CertificateAuthority.make(
            commonName: "trial", validFor: (Self.now - .seconds(60))...(Self.now + .seconds(60)))
        let file = "\(directory.path)/agent.pem"
        try FileSystem.write(authority.certificate.pem, to: file, isSecret: false)
        try body(file, authority.certificate.facts.fingerprint.hexadecimal)
    }

    @Test("A certificate's file stands for its fingerprint")
    func file() throws {
        try withCertificate { file, fingerprint in
            let request = try RevocationRequest(level: "certificate", value: nil, file: file)
            #expect(request.value == fingerprint)
        }
    }

    @Test("A file that is of no use is refused, and no digest of nothing is made of it")
    func noFile() throws {
        try withCertificate { file, _ in
            #expect(throws: CommandFailure.self) { try RevocationRequest(level: "agent", value: nil, file: file) }
            #expect(throws: CommandFailure.self) {
                try RevocationRequest(level: "certificate", value: "ab", file: file)
            }
            #expect(throws: CommandFailure.self) {
                try RevocationRequest(level: "certificate", value: nil, file: file + ".missing")
            }
            try FileSystem.write("", to: file, isSecret: false)
            #expect(throws: CommandFailure.self) { try RevocationRequest(level: "certificate", value: nil, file: file) }
        }
    }

    @Test(
        "A word for the shell is quoted where it must be",
        arguments: [
            ("unix:/run/a.sock", "unix:/run/a.sock"), ("a b", "'a b'"), ("it's", #"'it'\''s'"#), ("", "''"),
            ("$(x)", "'$(x)'"), ("~/a", "'~/a'"),
        ])
    func quoted(_ text: String, _ word: String) {
        #expect(ShellWord.quoted(text) == word)
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
