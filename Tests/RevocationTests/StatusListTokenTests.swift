import Bytes
import Compression
import Cryptography
import Support
import Testing
import Tokens

@testable import Revocation

@Suite("StatusListToken")
struct StatusListTokenTests {
    private static let uri = "https://example.com/statuslists/1"
    /// The claims of the draft's example, with a time of our own.
    private static let claims: [String: String] = [
        "sub": "\"\(uri)\"", "iat": "1800000000", "exp": "1800003600", "ttl": "43200",
        "status_list": #"{"bits":1,"lst":"eNrbuRgAAhcBXQ"}"#,
    ]
    private static let header: [String: String] = ["alg": #""ES256""#, "typ": #""statuslist+jwt""#, "kid": #""k-1""#]

    private func verify(
        _ changed: [String: String?] = [:], header: [String: String?] = [:], by broker: Broker? = nil,
        after known: StatusList? = nil, uri: String = uri, now: UnixTime = Broker.now
    ) throws -> Result<StatusList, StatusListFault> {
        let owner = try Broker.standard()
        let token = try (broker ?? owner).sign(
            header: Broker.json(Self.header, header), payload: Broker.json(Self.claims, changed))
        let signer = FeedSigner(issuer: Broker.issuer, keys: try owner.keySet(), algorithms: [.es256])
        let engine = try CryptographicEngine()
        return Result { () throws(StatusListFault) in
            try StatusListToken.verify(token.span, uri: uri, by: signer, after: known, engine: engine, now: now)
        }
    }

    private func fault(
        _ changed: [String: String?] = [:], header: [String: String?] = [:]
    ) throws -> StatusListFault? {
        if case .failure(let fault) = try verify(changed, header: header) { fault } else { nil }
    }

    @Test("A list is read with all that it says")
    func list() throws {
        let list = try verify().get()
        #expect(list.uri == Self.uri)
        #expect(list.bits == 1)
        #expect(list.issuedAt == Broker.now)
        #expect(list.expiresAt == Broker.now + .seconds(3600))
        #expect(list.timeToLive == .seconds(43_200))
        #expect((0..<16).map { list.status(at: $0) } == [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1])
        let two = try verify(["status_list": #"{"bits":2,"lst":"eNo76fITAAPfAgc"}"#]).get()
        #expect((0..<4).map { two.status(at: $0) } == [1, 2, 0, 3])
    }

    @Test("It need not say when it ends, how long to keep it, or who issued it")
    func optional() throws {
        let list = try verify(["exp": nil, "ttl": nil]).get()
        #expect(list.expiresAt == nil)
        #expect(list.timeToLive == nil)
        #expect(try fault(["iss": "\"\(Broker.issuer)\""]) == nil)
        #expect(try fault(["iss": #""https://other.example.test""#]) == .issuer)
        #expect(try fault(["iss": "7"]) == .issuer)
    }

    @Test(
        "A claim that is missing or wrong is named",
        arguments: [
            ("sub", nil, "sub"), ("sub", "7", "sub"), ("iat", nil, "iat"), ("iat", "\"1\"", "iat"),
            ("exp", "\"1\"", "exp"), ("ttl", "0", "ttl"), ("ttl", "-1", "ttl"), ("ttl", "\"9\"", "ttl"),
            ("status_list", nil, "status_list"), ("status_list", "[]", "status_list"),
            ("status_list", #"{"lst":"eNrbuRgAAhcBXQ"}"#, "bits"),
            ("status_list", #"{"bits":3,"lst":"eNrbuRgAAhcBXQ"}"#, "bits"),
            ("status_list", #"{"bits":"1","lst":"eNrbuRgAAhcBXQ"}"#, "bits"),
            ("status_list", #"{"bits":1}"#, "lst"), ("status_list", #"{"bits":1,"lst":"eNrbuRgAAhcBXQ=="}"#, "lst"),
            ("status_list", #"{"bits":1,"lst":7}"#, "lst"),
        ] as [(String, String?, String)])
    func claims(name: String, value: String?, fault: String) throws {
        #expect(try self.fault([name: value]) == .claim(fault))
    }

    @Test("It must call itself a status list")
    func type() throws {
        #expect(try fault(header: ["typ": #""application/StatusList+JWT""#]) == nil)
        #expect(try fault(header: ["typ": #""JWT""#]) == .type)
        #expect(try fault(header: ["typ": nil]) == .type)
    }

    @Test("It is the list of its URI alone")
    func subject() throws {
        #expect(try fault(["sub": #""https://example.com/statuslists/2""#]) == .subject)
        #expect(try verify(uri: "https://example.com/statuslists/2").map(\.count) == .failure(.subject))
    }

    @Test("It has its time, by the moment and by the list that is known")
    func time() throws {
        #expect(try verify(now: Broker.now + .seconds(3599)).map(\.count) == .success(16))
        #expect(try verify(now: Broker.now + .seconds(3600)).map(\.count) == .failure(.expired))
        #expect(try verify(now: Broker.now - .seconds(60)).map(\.count) == .success(16))
        #expect(try verify(now: Broker.now - .seconds(61)).map(\.count) == .failure(.issuedInFuture))
        let known = try verify().get()
        #expect(try verify(after: known).map(\.count) == .success(16))
        #expect(try verify(["iat": "1799999999"], after: known).map(\.count) == .failure(.older))
    }

    @Test("Statuses that cannot be expanded, or only to too much, refuse it")
    func compression() throws {
        #expect(try fault(["status_list": #"{"bits":1,"lst":"eNrbuRgAAhcBXg"}"#]) == .compression(.malformed))
        #expect(try fault(["status_list": #"{"bits":1,"lst":""}"#]) == .compression(.malformed))
    }

    @Test("Nobody else's signature counts")
    func signature() throws {
        let stranger = Broker(key: try PrivateKey.generate(.ellipticCurve(.p256)), algorithm: .es256)
        #expect(try verify(by: stranger).map(\.count) == .failure(.jws(.signature)))
        #expect(try fault(header: ["kid": #""k-2""#]) == .jws(.key))
        #expect(try fault(header: ["alg": #""none""#]) == .jws(.algorithm))
        #expect(try fault(header: ["alg": #""Ed25519""#]) == .jws(.algorithm))
        #expect(try fault(header: ["crit": #"["exp"]"#]) == .jws(.critical))
    }
}
