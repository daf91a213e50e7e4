import Bytes
import Cryptography
import Support
import Testing
import Tokens

/// What a `cnf` demands, in short.
private struct Demands: Equatable {
    var certificate = false
    var key = false
    var publicKey = false
    var unsupported = false
}

private let digest = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"
private let certificate = #""x5t#S256":"\#(digest)""#
private let thumbprint = #""jkt":"\#(digest)""#
private let curve = #""kty":"OKP","crv":"Ed25519","x":"1CXXvflN_LVVsIsYXsUvB03JmlGWeCHqQVuouCF92bg""#

@Suite("What cnf demands of a bearer")
struct ConfirmationsTests {
    private func confirmations(_ claim: String) throws -> Result<Confirmations, TokenRejection> {
        let broker = try Broker.standard()
        return try verdict(broker.token(["cnf": claim]), broker.table()).map(\.confirmations)
    }

    private func demands(_ claim: String) throws -> Demands {
        let confirmations = try confirmations(claim).get()
        #expect(confirmations.isPresent)
        return Demands(
            certificate: confirmations.certificate != nil, key: confirmations.key != nil,
            publicKey: confirmations.publicKey != nil, unsupported: confirmations.demandsUnsupported)
    }

    @Test("C3: Everything that can be proven is demanded together")
    func supported() throws {
        #expect(try demands("{\(certificate)}") == Demands(certificate: true))
        #expect(try demands("{\(thumbprint)}") == Demands(key: true))
        #expect(try demands(#"{"jwk":{\#(curve)}}"#) == Demands(publicKey: true))
        #expect(try demands("{\(certificate),\(thumbprint)}") == Demands(certificate: true, key: true))
        #expect(
            try demands(#"{\#(certificate),\#(thumbprint),"jwk":{\#(curve)}}"#)
                == Demands(certificate: true, key: true, publicKey: true))
    }

    @Test("C2: A member that nobody knows is ignored, but alone it confirms nothing")
    func unknown() throws {
        #expect(try demands(#"{\#(certificate),"x":1}"#) == Demands(certificate: true))
        #expect(try demands(#"{\#(thumbprint),"x":1}"#) == Demands(key: true))
        #expect(try demands(#"{"jwk":{\#(curve)},"x":1}"#) == Demands(publicKey: true))
        #expect(try demands(#"{"x":1}"#) == Demands(unsupported: true))
        #expect(try demands("{}") == Demands(unsupported: true))
    }

    @Test(
        "C1, C4: What we know of but cannot check is never satisfied, and no URL is followed",
        arguments: [
            #""kid":"a""#, #""jku":"https://evil.example""#, #""jwe":"x""#, #""x5t":"x""#, #""osc":{}"#,
        ])
    func unsupported(member: String) throws {
        #expect(try demands("{\(member)}") == Demands(unsupported: true))
        #expect(try demands("{\(certificate),\(member)}") == Demands(certificate: true, unsupported: true))
        #expect(try demands("{\(thumbprint),\(member)}") == Demands(key: true, unsupported: true))
        #expect(try demands(#"{"jwk":{\#(curve)},\#(member)}"#) == Demands(publicKey: true, unsupported: true))
    }

    @Test("The key that binds is jkt, or else the thumbprint of jwk")
    func boundThumbprint() throws {
        // RFC 8037, appendix A.3, has the same form of thumbprint; the key is that of the WIMSE example.
        let key = try ed25519Key("1CXXvflN_LVVsIsYXsUvB03JmlGWeCHqQVuouCF92bg")
        #expect(try confirmations(#"{"jwk":{\#(curve)}}"#).get().boundThumbprint == key.thumbprint)
        let both = try confirmations(#"{"jwk":{\#(curve)},\#(thumbprint)}"#).get()
        #expect(both.boundThumbprint?.base64URL == digest)
        #expect(both.publicKey?.publicKey == key)
        #expect(try confirmations("{\(certificate)}").get().boundThumbprint == nil)
    }

    @Test(
        "C4, D7, P8: A key in cnf is public, asymmetric, whole and for signatures",
        arguments: [
            (#"{"kty":"oct","k":"YQ"}"#, #"{\#(curve)}"#),
            (#"{\#(curve),"d":"1CXXvflN_LVVsIsYXsUvB03JmlGWeCHqQVuouCF92bg"}"#, #"{\#(curve),"e":"AQAB"}"#),
            (#"{\#(curve),"k":"YQ"}"#, #"{\#(curve),"kk":"YQ"}"#),
            ("{}", #"{\#(curve)}"#), ("[]", #"{\#(curve)}"#), ("null", #"{\#(curve)}"#),
            (#""x""#, #"{\#(curve)}"#),
            (#"{\#(curve),"use":"enc"}"#, #"{\#(curve),"use":"sig"}"#),
            (#"{\#(curve),"key_ops":["sign"]}"#, #"{\#(curve),"key_ops":["verify"]}"#),
            (#"{\#(curve),"alg":"ES256"}"#, #"{\#(curve),"alg":"EdDSA"}"#),
            (#"{\#(curve),"alg":"none"}"#, #"{\#(curve),"alg":"Ed25519"}"#),
            (#"{\#(curve),"alg":"HS256"}"#, #"{\#(curve)}"#), (#"{\#(curve),"alg":1}"#, #"{\#(curve)}"#),
            (#"{"kty":"OKP","crv":"X25519","x":"1CXXvflN_LVVsIsYXsUvB03JmlGWeCHqQVuouCF92bg"}"#, #"{\#(curve)}"#),
            (#"{"kty":"OKP","crv":"Ed25519","x":"1CXXvflN_LVVsIsYXsUvB03JmlGWeCHqQVuouCF92bg="}"#, #"{\#(curve)}"#),
            (#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#, #"{\#(curve)}"#),
            (#"{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}"#, #"{\#(curve)}"#),
        ])
    func keys(bad: String, good: String) throws {
        #expect(throws: TokenRejection.invalid(.confirmation)) { try confirmations(#"{"jwk":\#(bad)}"#).get() }
        #expect(try demands(#"{"jwk":\#(good)}"#) == Demands(publicKey: true))
    }

    @Test("J1: A bound key is for the one algorithm that the token names, or for those of its type")
    func algorithms() throws {
        let named = try #require(try confirmations(#"{"jwk":{\#(curve),"alg":"EdDSA"}}"#).get().publicKey)
        #expect(named.algorithm == .edDSA)
        #expect(named.serves(.edDSA) && !named.serves(.ed25519) && !named.serves(.es256))
        let unnamed = try #require(try confirmations(#"{"jwk":{\#(curve)}}"#).get().publicKey)
        #expect(unnamed.algorithm == nil)
        #expect(unnamed.serves(.edDSA) && unnamed.serves(.ed25519) && !unnamed.serves(.es256))
    }

    @Test(
        "M2: A digest is 43 characters of canonical base64url", arguments: ["x5t#S256", "jkt"],
        [
            "\"\(digest)=\"", #""BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd""#,
            #""BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw""#, #""BwcHBwcHBwcHBwcHBwcHBwcHBwc""#,
            #""0707070707070707070707070707070707070707070707070707070707070707""#, "7", "null", #""""#, "[]",
        ])
    func digests(name: String, bad: String) throws {
        #expect(throws: TokenRejection.invalid(.confirmation)) { try confirmations(#"{"\#(name)":\#(bad)}"#).get() }
        #expect(throws: TokenRejection.invalid(.confirmation)) {
            try confirmations(#"{"\#(name)":\#(bad),"jwk":{\#(curve)}}"#).get()
        }
        #expect(try confirmations(#"{"\#(name)":"\#(digest)"}"#).get().demandsUnsupported == false)
    }
}
