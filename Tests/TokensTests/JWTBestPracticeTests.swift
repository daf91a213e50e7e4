import Bytes
import Cryptography
import Support
import Testing

@testable import Tokens

/// Rules of RFC 8725bis and of the JOSE standards that no other suite of this room names.
@Suite("Best current practice for JWTs")
struct JWTBestPracticeTests {
    private func rejection(_ header: [String: String?]) throws -> TokenRejection? {
        try verdict(Broker.standard().token(header: header), Broker.standard().table()).rejection
    }

    @Test(
        "J2: Only current algorithms, by their exact names",
        arguments: [
            "none", "None", "nOnE", "HS256", "HS512", "RSA1_5", "RSA-OAEP", "RS1", "ES256K", "es256", "ES256 ",
            "ECDH-ES",
            "dir", "A128KW", "",
        ])
    func algorithms(name: String) throws {
        #expect(try rejection(["alg": "\"\(name)\""]) == .jws(.algorithm))
        #expect(try rejection(["alg": #""ES256""#]) == nil)
    }

    @Test(
        "J13: Nothing is ever derived from a password",
        arguments: ["PBES2-HS256+A128KW", "PBES2-HS512+A256KW"])
    func passwords(name: String) throws {
        #expect(try rejection(["alg": "\"\(name)\"", "p2c": "2147483647", "p2s": #""YQ""#]) == .jws(.algorithm))
        // Where the algorithm is one of ours the member says nothing.
        #expect(try rejection(["p2c": "2147483647"]) == nil)
    }

    @Test("J3, J6: What is encrypted or compressed is refused", arguments: [#""enc":"A128GCM""#, #""zip":"DEF""#])
    func encryption(member: String) throws {
        let broker = try Broker.standard()
        let header = Broker.json(Broker.header, [:]).dropLast()
        let payload = Broker.json(Broker.claims, [:])
        let bad = try broker.sign(header: header + ",\(member)}", payload: payload)
        let good = try broker.sign(header: header + #","other":1}"#, payload: payload)
        #expect(try verdict(bad, broker.table()).rejection == .jws(.encrypted))
        #expect(try verdict(good, broker.table()).rejection == nil)
    }

    @Test(
        "J7, P15: Header and payload are UTF-8, and nothing is repaired",
        arguments: [
            [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3],
        ] as [[UInt8]])
    func encoding(bytes: [UInt8]) throws {
        let broker = try Broker.standard()
        func token(_ text: [UInt8], inHeader: Bool) throws -> [UInt8] {
            func json(_ members: [String: String], _ isChanged: Bool) -> [UInt8] {
                let plain = Array(Broker.json(members, [:]).utf8.dropLast())
                return plain + Array(",\"x\":\"".utf8) + (isChanged ? text : []) + Array("\"}".utf8)
            }
            let header = json(Broker.header, inHeader)
            let payload = json(Broker.claims, !inHeader)
            let input = Base64URL.encode(header.span) + "." + Base64URL.encode(payload.span)
            let signature = try broker.key.sign(input.utf8.span, with: broker.algorithm)
            return Array((input + "." + Base64URL.encode(signature.span)).utf8)
        }
        let table = try broker.table()
        #expect(try verdict(token(bytes, inHeader: true), table).rejection == .jws(.header))
        #expect(try verdict(token(bytes, inHeader: false), table).rejection == .payload)
        #expect(try verdict(token([0xC3, 0xAB], inHeader: true), table).rejection == nil)
        #expect(try verdict(token([0xC3, 0xAB], inHeader: false), table).rejection == nil)
    }

    @Test(
        "J4, P5: An ECDSA signature has exactly its length, and no other form", arguments: [0, 1, 63, 65, 96, 16_000])
    func signatureLengths(length: Int) throws {
        let broker = try Broker.standard()
        let token = String(decoding: try broker.token(), as: UTF8.self)
        let end = try #require(token.lastIndex(of: "."))
        let other = Base64URL.encode([UInt8](repeating: 1, count: length).span)
        let expected: JWSError = length == 0 ? .malformed : .signature
        #expect(try verdict(Array((token[...end] + other).utf8), broker.table()).rejection == .jws(expected))
        #expect(try verdict(Array(token.utf8), broker.table()).rejection == nil)
    }

    @Test("P6: An RSA key of 2048 bits verifies, and a shorter one is in no set")
    func rsa() throws {
        let broker = Broker(key: try .generate(.rsa(bits: 2048)), algorithm: .ps256)
        #expect(try verdict(broker.token(header: ["alg": #""PS256""#]), broker.table()).rejection == nil)
        let modulus = Base64URL.encode(([0xC1] + [UInt8](repeating: 0x55, count: 127)).span)
        #expect(throws: KeySetError.key(index: 0, .key(.weak))) {
            try KeySet(jwks: #"{"keys":[{"kty":"RSA","e":"AQAB","n":"\#(modulus)"}]}"#.utf8.span)
        }
    }

    @Test("P7: EdDSA is Ed25519 here, with signatures of 64 bytes")
    func edDSA() throws {
        let broker = Broker(key: try .generate(.ed25519), algorithm: .edDSA)
        let token = String(decoding: try broker.token(header: ["alg": #""EdDSA""#]), as: UTF8.self)
        #expect(try verdict(Array(token.utf8), broker.table()).rejection == nil)
        let end = try #require(token.lastIndex(of: "."))
        for length in [63, 65, 114] {
            let other = Base64URL.encode([UInt8](repeating: 1, count: length).span)
            #expect(try verdict(Array((token[...end] + other).utf8), broker.table()).rejection == .jws(.signature))
        }
        #expect(throws: KeySetError.noUsableKey) {
            try KeySet(jwks: #"{"keys":[{"kty":"OKP","crv":"Ed448","x":"YQ"}]}"#.utf8.span)
        }
    }

    @Test("P9: The key that signed is known by the thumbprint of its required members only")
    func thumbprints() throws {
        let broker = try Broker.standard()
        let plain = try verdict(broker.token(), broker.table()).get().signingKey
        let more = #","key_ops":["verify"],"x5t":"YQ"}"#
        let jwk = broker.key.publicJWK(keyID: "k-1", algorithm: .es256).dropLast() + more
        let keys = try KeySet(jwks: #"{"keys":[\#(jwk)]}"#.utf8.span)
        let table = IssuerTable([try broker.issuer(keys: keys)])
        #expect(try verdict(broker.token(), table).get().signingKey == plain)
        #expect(plain == broker.key.publicKey.thumbprint)
    }
}
