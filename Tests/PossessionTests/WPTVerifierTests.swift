import Bytes
import Cryptography
import Foundation
import Testing
import Tokens

@testable import Possession

/// One change to a proof, and what must come of it; nothing: it is accepted.
private struct Change: Sendable, CustomTestStringConvertible {
    let member: String
    let value: String?
    let rejection: WPTRejection?

    init(_ member: String, _ value: String?, _ rejection: WPTRejection?) {
        (self.member, self.value, self.rejection) = (member, value, rejection)
    }

    var testDescription: String { "\(member) \(value ?? "absent")" }
}

@Suite("The WPT verifier")
struct WPTVerifierTests {
    @Test("A proof as the draft has it is accepted, and says whose and which it is")
    func accepted() throws {
        let maker = try WorkloadMaker.standard()
        let facts = try workloadVerdict(try maker.proof()).get()
        let thumbprint = maker.key.publicKey.thumbprint
        #expect(facts.keyThumbprint == thumbprint)
        #expect(facts.issuedAt == nil)
        #expect(facts.expiresAt == WorkloadMaker.now + .seconds(40))
        var input = Array("wpt\0".utf8)
        for index in 0..<32 { input.append(thumbprint.bytes[index]) }
        input += Array("w-1".utf8)
        #expect(facts.identifier == (try CryptographicEngine()).sha256(input.span))
        let dated = try workloadVerdict(try maker.proof(["iat": "1799999995"])).get()
        #expect(dated.issuedAt == WorkloadMaker.now - .seconds(5))
        #expect(dated.identifier == facts.identifier)
    }

    @Test("Two proofs are the same by jti and key; a DPoP proof by the same key with the same jti is another")
    func identifiers() throws {
        let (maker, other) = (try WorkloadMaker.standard(), try WorkloadMaker.ed25519())
        let first = try workloadVerdict(try maker.proof()).get().identifier
        #expect(try workloadVerdict(try maker.proof(["exp": "1800000031"])).get().identifier == first)
        #expect(try workloadVerdict(try maker.proof(["jti": #""w-2""#])).get().identifier != first)
        #expect(try workloadVerdict(try other.proof(), by: other).get().identifier != first)
        let dpop = try verdict(try ProofMaker.standard().proof(["jti": #""w-1""#])).get()
        #expect(dpop.keyThumbprint == maker.key.publicKey.thumbprint)
        #expect(dpop.identifier != first)
    }

    // MARK: Form

    @Test("W1: Only one compact JWS is a proof")
    func form() throws {
        let text = String(decoding: try WorkloadMaker.standard().proof(), as: UTF8.self)
        #expect(try workloadVerdict(Array(text.utf8)).isAccepted)
        for list in [text + "," + text, text + ", " + text, " " + text, text + " ", text + "\t"] {
            #expect(try workloadVerdict(Array(list.utf8)).rejection == .multiple)
        }
        for bytes in ["", "..", text + ".", "." + text, text + "=", text + "\0", "{}"] {
            #expect(try workloadVerdict(Array(bytes.utf8)).rejection == .jws(.malformed), "\(bytes)")
        }
        #expect(try workloadVerdict(Array((text + ".AA.AA").utf8)).rejection == .jws(.encrypted))
    }

    @Test(
        "W3: The header says exactly what it is",
        arguments: [
            Change("typ", #""wpt+jwt""#, nil), Change("typ", #""WPT+JWT""#, nil),
            Change("typ", #""application/wpt+jwt""#, nil), Change("typ", nil, .type),
            Change("typ", #""JWT""#, .type), Change("typ", #""wit+jwt""#, .type),
            Change("typ", #""dpop+jwt""#, .type), Change("typ", #""wimse-proof+jwt""#, .type),
            Change("typ", "1", .jws(.header)), Change("alg", #""none""#, .jws(.algorithm)),
            Change("alg", #""HS256""#, .jws(.algorithm)), Change("alg", #""es256""#, .jws(.algorithm)),
            Change("alg", #""ES384""#, .algorithm), Change("alg", #""EdDSA""#, .algorithm),
            Change("alg", nil, .jws(.header)), Change("kid", #""ignored""#, nil),
            Change("jwk", #"{"kty":"oct","k":"AA"}"#, nil), Change("x", #"{"y":[1]}"#, nil),
            Change("crit", #"["exp"]"#, .jws(.critical)), Change("b64", "false", .jws(.critical)),
            Change("zip", #""DEF""#, .jws(.encrypted)),
        ])
    private func header(change: Change) throws {
        let proof = try WorkloadMaker.standard().proof(header: [change.member: change.value])
        #expect(try workloadVerdict(proof).rejection == change.rejection)
    }

    @Test("W3: The algorithm is the one that the key names, by its name: a key that names none is for none")
    func algorithm() throws {
        let (new, old) = (try WorkloadMaker.ed25519(), try WorkloadMaker.ed25519(.edDSA))
        #expect(try workloadVerdict(try new.proof(), by: new).isAccepted)
        #expect(try workloadVerdict(try old.proof(), by: old).isAccepted)
        #expect(try workloadVerdict(try new.proof(), by: old).rejection == .algorithm)
        #expect(try workloadVerdict(try old.proof(), by: new).rejection == .algorithm)
        var call = WorkloadCall()
        call.boundKey = BoundKey(publicKey: new.key.publicKey, algorithm: nil)
        #expect(try workloadVerdict(try new.proof(), call).rejection == .algorithm)
    }

    @Test("The payload is strict JSON")
    func payload() throws {
        let maker = try WorkloadMaker.standard()
        let header = #"{"alg":"ES256","typ":"wpt+jwt"}"#
        let payload = ProofMaker.json(try WorkloadMaker.claims(), [:])
        #expect(try workloadVerdict(try maker.sign(header: header, payload: payload)).isAccepted)
        for text in [#"{"jti":"a",\#(payload.dropFirst())"#, payload + "x", "", #"{"a":NaN}"#] {
            #expect(try workloadVerdict(try maker.sign(header: header, payload: text)).rejection == .payload)
        }
        #expect(
            try workloadVerdict(try maker.sign(header: header, payload: "[]")).rejection == .missing(.audience))
    }

    // MARK: Claims

    @Test(
        "W3: The audience is the target URI in normal form, or one of the other names to the byte",
        arguments: [
            Change("aud", #""https://api.example.test/orders/17""#, nil),
            Change("aud", #""HTTPS://API.example.test:443/x/../orders/%317""#, nil),
            Change("aud", #""https://localhost:8443/orders/17""#, nil),
            Change("aud", #""https://api.example.test/orders/17?a=b#c""#, nil),
            Change("aud", #""urn:example:orders""#, nil),
            Change("aud", #""https://alias.example.test/x?y""#, nil),
            Change("aud", #""https://alias.example.test/x""#, .audience),
            Change("aud", #""urn:example:Orders""#, .audience), Change("aud", #""urn:example:orders ""#, .audience),
            Change("aud", #""https://api.example.test/orders/18""#, .audience),
            Change("aud", #"["https://api.example.test/orders/17"]"#, nil),
            Change("aud", #"["https://api.example.test/orders/18"]"#, .audience),
            Change("aud", #""https://api.example.test/orders/17/""#, .audience),
            Change("aud", #""https://api.example.test/Orders/17""#, .audience),
            Change("aud", #""https://api.example.test/orders%2F17""#, .audience),
            Change("aud", #""https://api.example.test""#, .audience),
            Change("aud", #""https://u@api.example.test/orders/17""#, .audience),
            Change("aud", #""http://api.example.test/orders/17""#, .audience),
            Change("aud", #""https://other.example.test/orders/17""#, .audience),
            Change("aud", #""/orders/17""#, .audience), Change("aud", nil, .missing(.audience)),
            Change("aud", #""""#, .invalid(.audience)), Change("aud", "1", .invalid(.audience)),
            Change("aud", #"["https://api.example.test/orders/17","urn:example:orders"]"#, .invalid(.audience)),
            Change("aud", "[]", .invalid(.audience)), Change("aud", "[1]", .invalid(.audience)),
        ])
    private func audience(change: Change) throws {
        let proof = try WorkloadMaker.standard().proof([change.member: change.value])
        #expect(try workloadVerdict(proof).rejection == change.rejection)
    }

    @Test(
        "W3: The proof lives now and not for long",
        arguments: [
            Change("exp", "1800000060", nil), Change("exp", "1800000061", .lifetime),
            Change("exp", "1800000060.5", .lifetime), Change("exp", "1800000000", nil),
            Change("exp", "1799999991", nil), Change("exp", "1799999990", .expired),
            Change("exp", "1799999990.5", nil), Change("exp", nil, .missing(.expiry)),
            Change("exp", #""1800000030""#, .invalid(.expiry)), Change("exp", "-1", .invalid(.expiry)),
            Change("exp", "1e400", .invalid(.expiry)), Change("exp", "null", .invalid(.expiry)),
            Change("iat", "1800000000", nil), Change("iat", "1800000010", nil), Change("iat", "1800000011", .future),
            Change("iat", "1799999970", nil), Change("iat", "1799999969", .lifetime),
            Change("iat", #""x""#, .invalid(.issuedAt)), Change("iat", "null", .invalid(.issuedAt)),
            Change("nbf", "1800000010", nil), Change("nbf", "1800000011", .notYetValid),
            Change("nbf", #""x""#, .invalid(.notBefore)),
        ])
    private func life(change: Change) throws {
        let proof = try WorkloadMaker.standard().proof([change.member: change.value])
        #expect(try workloadVerdict(proof).rejection == change.rejection)
    }

    @Test("A proof that was over before it was made is refused")
    func backwards() throws {
        let maker = try WorkloadMaker.standard()
        let early = try maker.proof(["iat": "1800000005", "exp": "1800000005"])
        #expect(try workloadVerdict(early).rejection == .lifetime)
        #expect(try workloadVerdict(try maker.proof(["iat": "1800000005", "exp": "1800000006"])).isAccepted)
    }

    @Test(
        "W3: The identifier is there, and not larger than it need be",
        arguments: [
            Change("jti", nil, .missing(.identifier)), Change("jti", #""""#, .invalid(.identifier)),
            Change("jti", "1", .invalid(.identifier)),
            Change("jti", "\"" + String(repeating: "x", count: 256) + "\"", nil),
            Change("jti", "\"" + String(repeating: "x", count: 257) + "\"", .invalid(.identifier)),
            Change("something", "[1]", nil),
        ])
    private func identifier(change: Change) throws {
        let proof = try WorkloadMaker.standard().proof([change.member: change.value])
        #expect(try workloadVerdict(proof).rejection == change.rejection)
    }

    // MARK: Other tokens

    private static let wrongHash = #""fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo""#

    @Test(
        "W3: The workload token and the access token are these",
        arguments: [
            Change("wth", nil, .missing(.workloadTokenHash)), Change("wth", wrongHash, .workloadToken),
            Change("wth", #""AA""#, .invalid(.workloadTokenHash)), Change("wth", "1", .invalid(.workloadTokenHash)),
            Change("ath", nil, .missing(.accessTokenHash)), Change("ath", wrongHash, .accessToken),
            Change("ath", #""CL4wjfpRmNf-bdYIbYLnV9d5rMARGwKYE10wUwzC0jI=""#, .invalid(.accessTokenHash)),
            Change("ath", #""cl4wjfprmnf-bdyibylnv9d5rmargwkye10wuwzc0jI""#, .accessToken),
            Change("ath", "null", .invalid(.accessTokenHash)),
            Change("tth", wrongHash, .unexpected(.transactionTokenHash)),
            Change("tth", "null", .unexpected(.transactionTokenHash)),
        ])
    private func tokens(change: Change) throws {
        let proof = try WorkloadMaker.standard().proof([change.member: change.value])
        #expect(try workloadVerdict(proof).rejection == change.rejection)
    }

    @Test("W3: A proof for an access token is none for a call without it, and the other way round")
    func accessToken() throws {
        let maker = try WorkloadMaker.standard()
        var call = WorkloadCall()
        call.accessToken = nil
        #expect(try workloadVerdict(try maker.proof(), call).rejection == .unexpected(.accessTokenHash))
        #expect(try workloadVerdict(try maker.proof(["ath": nil]), call).isAccepted)
        #expect(try workloadVerdict(try maker.proof()).isAccepted)
        #expect(try workloadVerdict(try maker.proof(["ath": nil])).rejection == .missing(.accessTokenHash))
    }

    @Test("W3: A transaction token that is in the request is in the proof")
    func transactionToken() throws {
        let maker = try WorkloadMaker.standard()
        var call = WorkloadCall()
        call.transactionToken = WorkloadMaker.transactionToken
        let hash = try WorkloadMaker.hash(WorkloadMaker.transactionToken)
        #expect(try workloadVerdict(try maker.proof(["tth": hash]), call).isAccepted)
        #expect(try workloadVerdict(try maker.proof(), call).rejection == .missing(.transactionTokenHash))
        let other = try maker.proof(["tth": Self.wrongHash])
        #expect(try workloadVerdict(other, call).rejection == .transactionToken)
    }

    @Test("W3: Every further token that the proof names is in the request once, and is that one")
    func otherTokens() throws {
        let maker = try WorkloadMaker.standard()
        let hash = try WorkloadMaker.hash("some-example-other-token")
        var call = WorkloadCall()
        call.fields = ["x-custom-token": "some-example-other-token", "x-other": "another"]
        func verdict(_ oth: String) throws -> WPTRejection? {
            try workloadVerdict(try maker.proof(["oth": oth]), call).rejection
        }
        #expect(try verdict(#"{"x-custom-token":\#(hash)}"#) == nil)
        #expect(try verdict("{}") == nil)
        let two = #"{"x-custom-token":\#(hash),"x-other":\#(try WorkloadMaker.hash("another"))}"#
        #expect(try verdict(two) == nil)
        #expect(try verdict(#"{"x-other":\#(hash)}"#) == .otherToken)
        #expect(try verdict(#"{"x-custom-token":\#(hash),"x-absent":\#(hash)}"#) == .otherToken)
        #expect(try verdict(#"{"x-absent":\#(hash)}"#) == .otherToken)
        let invalid = [
            #"{"X-Custom-Token":\#(hash)}"#, #"{"x custom":\#(hash)}"#, #"{"":\#(hash)}"#,
            #"{"x-custom-token":"some-example-other-token"}"#, #"{"x-custom-token":{"h":\#(hash)}}"#, "[]", "null",
            hash,
        ]
        for oth in invalid { #expect(try verdict(oth) == .invalid(.otherTokenHashes), "\(oth)") }
        let names = (0..<17).map { "f\($0)" }
        call.fields = Dictionary(uniqueKeysWithValues: names.map { ($0, "some-example-other-token") })
        func many(_ count: Int) -> String {
            "{" + names.prefix(count).map { #""\#($0)":\#(hash)"# }.joined(separator: ",") + "}"
        }
        #expect(try verdict(many(16)) == nil)
        #expect(try verdict(many(17)) == .invalid(.otherTokenHashes))
    }

    // MARK: Signature, replay

    @Test("The signature is by the workload token's key and over every byte")
    func signature() throws {
        let (maker, stranger) = (
            try WorkloadMaker.standard(), WorkloadMaker(key: try ProofMaker.other().key, algorithm: .es256)
        )
        #expect(try workloadVerdict(try maker.proof(), by: maker).isAccepted)
        #expect(try workloadVerdict(try stranger.proof(), by: maker).rejection == .jws(.signature))
        var proof = try maker.proof()
        let flipped = proof[proof.count - 10] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        proof[proof.count - 10] = flipped
        #expect(try workloadVerdict(proof).rejection == .jws(.signature))
        let mismatched = BoundKey(publicKey: try ProofMaker.ed25519().key.publicKey, algorithm: .es256)
        var call = WorkloadCall()
        call.boundKey = mismatched
        #expect(try workloadVerdict(try maker.proof(), call).rejection == .jws(.signature))
    }

    /// When the proof of all tests ends, in seconds from now.
    private static let writtenEnd: Int64 = 30

    @Test("A proof is used once; one that an earlier table may have known is not used at all")
    func replay() throws {
        let maker = try WorkloadMaker.standard()
        nonisolated(unsafe) var keepsMark = true
        func outcomes(
            _ changed: [String: String?], since start: Int64, mistrusting end: Int64 = 0
        ) throws -> [ReplayOutcome] {
            let table = ReplayTable(
                capacity: 100, key: Array(1...16), refusesBefore: UnixTime(seconds: 1_800_000_000 + start),
                marks: ReplayMarks(
                    undatedUntil: UnixTime(seconds: 1_800_000_000 + end), keepDatedAhead: { _ in true },
                    keepUndated: { _ in unsafe keepsMark }))
            return try workloadVerdict(try maker.proof(changed), table: table).get().outcomes
        }
        let dated = ["iat": "1800000000"]
        let shown = "a proof without a time is accepted only if the next table will know"
        unsafe keepsMark = false
        #expect(try outcomes([:], since: 0) == [.full, .full], "\(shown)")
        #expect(try outcomes(dated, since: 0) == [.inserted, .replayed])
        unsafe keepsMark = true
        #expect(try outcomes([:], since: 0) == [.inserted, .replayed])
        #expect(try outcomes([:], since: 0, mistrusting: 10) == [.inserted, .replayed])
        #expect(try outcomes([:], since: 0, mistrusting: 300) == [.beyondMemory, .beyondMemory])
        // The end as written counts, whatever the present settings allow beyond it.
        #expect(try outcomes([:], since: 0, mistrusting: Self.writtenEnd) == [.beyondMemory, .beyondMemory])
        #expect(try outcomes([:], since: 0, mistrusting: Self.writtenEnd - 1) == [.inserted, .replayed])
        #expect(try outcomes(dated, since: 0, mistrusting: 300) == [.inserted, .replayed])
        #expect(try outcomes(["iat": "1799999999"], since: 0) == [.beyondMemory, .beyondMemory])
    }

    @Test("Every rejection has a reason of its own")
    func reasons() {
        var all: [WPTRejection] = [
            .accessToken, .algorithm, .audience, .expired, .future, .lifetime, .multiple, .notYetValid, .otherToken,
            .payload, .transactionToken, .type, .workloadToken, .jws(.signature), .jws(.critical),
        ]
        for claim in WPTClaim.allCases { all += [.invalid(claim), .missing(claim), .unexpected(claim)] }
        #expect(Set(all.map(\.reason)).count == all.count)
        #expect(all.allSatisfy { $0.reason.hasPrefix("wpt.") })
        #expect(WPTRejection.unexpected(.accessTokenHash).reason == "wpt.claim-unexpected.ath")
    }
}

/// The draft's own examples, where they are at hand: `wimse/` holds them as compact texts.
private enum DraftExamples {
    static let directory: URL = {
        if let path = ProcessInfo.processInfo.environment["SALLYPORT_VECTORS"] { return URL(fileURLWithPath: path) }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/vectors")
    }()

    static let areAtHand = read("wpt").isEmpty == false && read("wpt-oth").isEmpty == false

    static func read(_ name: String) -> String {
        let text = try? String(contentsOf: directory.appendingPathComponent("wimse/\(name).txt"), encoding: .utf8)
        return (text ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

@Suite(
    "The WPT verifier on the draft's examples",
    .enabled(if: DraftExamples.areAtHand, "the draft's examples are not at hand"))
struct WPTExampleTests {
    /// The call of the examples, of which one has a further token.
    private func call(_ workloadToken: String) throws -> WorkloadCall {
        let x = try #require(decoded("1CXXvflN_LVVsIsYXsUvB03JmlGWeCHqQVuouCF92bg"))
        var call = WorkloadCall()
        call.path = "/path"
        call.origins = ["https://workload.example.com"].compactMap(TargetOrigin.init)
        call.aliases = []
        call.workloadToken = DraftExamples.read(workloadToken)
        call.boundKey = BoundKey(publicKey: try PublicKey.ed25519(x.span), algorithm: .edDSA)
        call.now = UnixTime(seconds: 1_745_510_000)
        return call
    }

    @Test("The example of the request with an access token is accepted as it stands, and only there")
    func plain() throws {
        let proof = Array(DraftExamples.read("wpt").utf8)
        var call = try call("wit")
        #expect(try workloadVerdict(proof, call).isAccepted)
        call.path = "/path/"
        #expect(try workloadVerdict(proof, call).rejection == .audience)
        call.path = "/path"
        call.workloadToken = DraftExamples.read("wit-oth")
        #expect(try workloadVerdict(proof, call).rejection == .workloadToken)
    }

    @Test("The example with a further token is accepted where that is in the request")
    func otherToken() throws {
        let proof = Array(DraftExamples.read("wpt-oth").utf8)
        var call = try call("wit-oth")
        #expect(try workloadVerdict(proof, call).rejection == .otherToken)
        call.fields = ["x-custom-token": "some-example-other-token"]
        #expect(try workloadVerdict(proof, call).isAccepted)
    }
}
