import Bytes
import Cryptography
import Identity
import Support
import Testing
import Tokens

@testable import Possession

@Suite("The possession verifier")
struct PossessionVerifierTests {
    private static let agent = "spiffe://example.test/agent/a"
    private static let other = "spiffe://example.test/agent/b"

    /// How a route looks at possession.
    private struct Demand {
        var svid = false
        var allowsMismatch = false
    }

    /// The claims that a test changes, beside those that every token must have.
    private func withVerifiedToken<R>(
        subject: String, confirmation: String?, _ body: (borrowing VerifiedToken) throws -> R
    ) throws -> R {
        let key = try PrivateKey.generate(.ed25519)
        let jwks = #"{"keys":[\#(key.publicJWK(keyID: nil, algorithm: .ed25519))]}"#
        let issuers = IssuerTable([
            TokenIssuer(
                issuer: "https://i", profile: .oauth, audiences: ["a"], algorithms: [.ed25519], clockLeeway: .zero,
                maximumTokenLifetime: .seconds(60), claimNames: .standard, trustDomains: nil,
                keys: try KeySet(jwks: jwks.utf8.span))
        ])
        let cnf = confirmation.map { #","cnf":\#($0)"# } ?? ""
        let payload =
            #"{"iss":"https://i","aud":"a","sub":"\#(subject)","client_id":"c","jti":"j","iat":1,"exp":9\#(cnf)}"#
        let header = #"{"alg":"Ed25519","typ":"at+jwt"}"#
        let input = Base64URL.encode(header.utf8.span) + "." + Base64URL.encode(payload.utf8.span)
        let signature = try key.sign(input.utf8.span, with: .ed25519)
        let compact = Array((input + "." + Base64URL.encode(signature.span)).utf8)
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 0)
        return try body(
            try verifier.verify(compact.span, among: issuers, subjectsWithin: nil, now: UnixTime(seconds: 2)))
    }

    private func verdict(
        subject: String = agent, confirmation: String?, peer: VerifiedPeer?, _ demand: Demand = Demand()
    ) throws -> Result<PossessionMethods, PossessionFailure> {
        try withVerifiedToken(subject: subject, confirmation: confirmation) { token in
            do throws(PossessionFailure) {
                return .success(
                    try PossessionVerifier.verify(
                        token: token, peer: peer, proof: nil, workloadProof: nil,
                        rule: PossessionRule(
                            svidServesAsConfirmation: demand.svid, allowsSubjectMismatch: demand.allowsMismatch)
                    ).methods)
            } catch {
                return .failure(error)
            }
        }
    }

    private func bound(to peer: VerifiedPeer) -> String {
        #"{"x5t#S256":"\#(peer.certificate.fingerprint.base64URL)"}"#
    }

    @Test("M1: A bound token is for the connection of its certificate only, even if another has the same name")
    func certificate() throws {
        let handshake = try Handshake()
        let peer = try #require(try handshake.peer(uris: [Self.agent]))
        let renewed = try #require(try handshake.peer(uris: [Self.agent]))
        let confirmation = bound(to: peer)
        #expect(try verdict(confirmation: confirmation, peer: peer) == .success([.certificate, .svid]))
        #expect(try verdict(confirmation: confirmation, peer: renewed) == .failure(.certificateMismatch))
        #expect(try verdict(confirmation: confirmation, peer: nil) == .failure(.certificateMissing))
        let lenient = Demand(svid: true, allowsMismatch: true)
        #expect(try verdict(confirmation: confirmation, peer: renewed, lenient) == .failure(.certificateMismatch))
        #expect(try verdict(confirmation: confirmation, peer: nil, lenient) == .failure(.certificateMissing))
    }

    @Test("A token without confirmation is refused, unless the route takes an SVID for one")
    func svid() throws {
        let peer = try #require(try Handshake().peer(uris: [Self.agent]))
        #expect(try verdict(confirmation: nil, peer: peer) == .failure(.unbound))
        #expect(try verdict(confirmation: nil, peer: peer, Demand(svid: true)) == .success(.svid))
        #expect(try verdict(confirmation: nil, peer: nil, Demand(svid: true)) == .failure(.certificateMissing))
        #expect(
            try verdict(subject: Self.other, confirmation: nil, peer: peer, Demand(svid: true))
                == .failure(.subjectMismatch))
        #expect(
            try verdict(subject: Self.other, confirmation: nil, peer: peer, Demand(svid: true, allowsMismatch: true))
                == .failure(.unbound))
        #expect(try verdict(subject: "user", confirmation: nil, peer: peer, Demand(svid: true)) == .failure(.unbound))
    }

    @Test("A certificate that is no SVID proves a bound token, and confirms no other")
    func anyIdentity() throws {
        let peer = try #require(try Handshake().peer(uris: [], mode: .any))
        #expect(peer.spiffeID == nil)
        #expect(try verdict(confirmation: bound(to: peer), peer: peer) == .success(.certificate))
        #expect(try verdict(confirmation: nil, peer: peer, Demand(svid: true)) == .failure(.unbound))
    }

    @Test("X4: Under any, an SVID proves its ID only where the authorities of its own trust domain vouched for it")
    func foreignAuthority() throws {
        let handshake = try Handshake()
        let own = try #require(try handshake.peer(uris: [Self.agent], mode: .any))
        let foreign = try #require(try handshake.peer(uris: [Self.agent], mode: .any, label: "corp"))
        #expect(own.spiffeID == foreign.spiffeID)
        #expect(try verdict(confirmation: nil, peer: own, Demand(svid: true)) == .success(.svid))
        #expect(try verdict(confirmation: nil, peer: foreign, Demand(svid: true)) == .failure(.unbound))
    }

    @Test("A token about another workload is refused, unless the route allows that")
    func subject() throws {
        let peer = try #require(try Handshake().peer(uris: [Self.agent]))
        let confirmation = bound(to: peer)
        #expect(
            try verdict(subject: Self.other, confirmation: confirmation, peer: peer) == .failure(.subjectMismatch))
        #expect(
            try verdict(subject: Self.other, confirmation: confirmation, peer: peer, Demand(allowsMismatch: true))
                == .success(.certificate))
        #expect(try verdict(subject: "user", confirmation: confirmation, peer: peer) == .success(.certificate))
    }

    @Test(
        "C2, C3: A demand that cannot be checked is refused, whatever else holds",
        arguments: [
            (true, #""jku":"https://localhost""#), (true, #""kid":"k""#), (true, #""x5t":"AA""#),
            (false, #"{"jwe":"a.b.c.d.e"}"#), (false, "{}"), (false, #"{"x":1}"#),
        ])
    func unsupported(isBeside: Bool, confirmation: String) throws {
        let peer = try #require(try Handshake().peer(uris: [Self.agent]))
        let all = isBeside ? "\(bound(to: peer).dropLast()),\(confirmation)}" : confirmation
        let demand = Demand(svid: true, allowsMismatch: true)
        #expect(try verdict(confirmation: all, peer: peer, demand) == .failure(.unsupported))
        #expect(try verdict(confirmation: bound(to: peer), peer: peer, demand) == .success([.certificate, .svid]))
    }

    @Test("D14, C3: A token that names a key needs a proof by it, whatever else holds", arguments: [false, true])
    func key(isBeside: Bool) throws {
        let peer = try #require(try Handshake().peer(uris: [Self.agent]))
        let key = #""jkt":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc""#
        let confirmation = isBeside ? "\(bound(to: peer).dropLast()),\(key)}" : "{\(key)}"
        let demand = Demand(svid: true, allowsMismatch: true)
        #expect(try verdict(confirmation: confirmation, peer: peer, demand) == .failure(.proofMissing))
    }

    @Test("Every failure has its own reason")
    func reasons() {
        let failures: [PossessionFailure] = [
            .certificateMismatch, .certificateMissing, .keyMismatch, .proofMissing, .subjectMismatch, .unbound,
            .unsupported,
        ]
        #expect(Set(failures.map(\.reason)).count == failures.count)
        #expect(PossessionFailure.certificateMismatch.reason == "possession.certificate-mismatch")
        #expect(PossessionFailure.unbound.reason == "possession.unbound")
    }
}
