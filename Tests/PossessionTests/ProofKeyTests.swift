import Bytes
import Cryptography
import Testing
import Tokens

@testable import Possession

/// One change to the `jwk` of a proof, and what must come of it; nothing: it is accepted.
private struct KeyChange: Sendable, CustomTestStringConvertible {
    let rule: String
    let member: String
    let value: String?
    let rejection: DPoPRejection?

    init(_ rule: String, _ member: String, _ value: String?, _ rejection: DPoPRejection?) {
        (self.rule, self.member, self.value, self.rejection) = (rule, member, value, rejection)
    }

    var testDescription: String { "\(rule): \(member) \(value ?? "absent")" }
}

@Suite("Proof keys")
struct ProofKeyTests {
    @Test(
        "D5, D7, P8, P9: The jwk is a public key for signatures, and nothing more",
        arguments: [
            KeyChange("D7", "d", #""AAAA""#, .privateKey), KeyChange("D7", "p", #""AAAA""#, .privateKey),
            KeyChange("D7", "q", #""AAAA""#, .privateKey), KeyChange("D7", "dp", #""AAAA""#, .privateKey),
            KeyChange("D7", "dq", #""AAAA""#, .privateKey), KeyChange("D7", "qi", #""AAAA""#, .privateKey),
            KeyChange("D7", "oth", "[]", .privateKey), KeyChange("D7", "k", "null", .privateKey),
            KeyChange("D7", "priv", #""AAAA""#, .privateKey), KeyChange("D7", "d\\u0020", #""AAAA""#, nil),
            KeyChange("D7", "\\u0064", #""AAAA""#, .privateKey), KeyChange("D7", "kty", #""oct""#, .symmetricKey),
            KeyChange("D5", "kty", #""OKP""#, .key), KeyChange("D5", "kty", #""RSA""#, .key),
            KeyChange("D5", "kty", #""ec""#, .key), KeyChange("D5", "kty", #""AKP""#, .key),
            KeyChange("D5", "kty", nil, .key),
            KeyChange("D5", "crv", #""P-384""#, .key), KeyChange("D5", "crv", #""secp256k1""#, .key),
            KeyChange("D5", "crv", nil, .key), KeyChange("P8", "x", #""AAAA""#, .key), KeyChange("P8", "y", nil, .key),
            KeyChange("P8", "y", #""AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#, .key),
            KeyChange("D5", "alg", #""ES256""#, nil), KeyChange("D5", "alg", #""ES384""#, .jws(.keyAlgorithm)),
            KeyChange("D5", "alg", #""es256""#, .jws(.keyAlgorithm)), KeyChange("D5", "alg", "1", .jws(.keyAlgorithm)),
            KeyChange("D5", "use", #""sig""#, nil), KeyChange("D5", "use", #""enc""#, .keyUse),
            KeyChange("D5", "use", "1", .keyUse), KeyChange("D5", "key_ops", #"["sign","verify"]"#, nil),
            KeyChange("D5", "key_ops", #"["sign"]"#, .keyUse), KeyChange("D5", "key_ops", "[]", .keyUse),
            KeyChange("D5", "key_ops", #""verify""#, .keyUse), KeyChange("P9", "kid", #""any""#, nil),
            KeyChange("D22", "extra", "1", nil),
        ])
    private func members(change: KeyChange) throws {
        let maker = try ProofMaker.standard()
        let proof = try maker.proof(jwk: [change.member: change.value])
        #expect(try verdict(proof).rejection == change.rejection)
        // The same verdict from a verifier that knows the key by its plain spelling.
        let verifier = DPoPVerifier(engine: try CryptographicEngine())
        #expect(try verdict(try maker.proof(), verifier: verifier).isAccepted)
        #expect(try verdict(proof, verifier: verifier).rejection == change.rejection)
    }

    @Test("P8: A coordinate with a leading zero too many or too few is another key, or none")
    func coordinates() throws {
        let maker = try ProofMaker.standard()
        let text = try #require(maker.jwk["x"]).dropFirst().dropLast()
        let x = try #require(decoded(String(text)))
        #expect(x.count == 32)
        for bytes in [[0] + x, Array(x.dropFirst()), x + [0]] {
            let value = "\"\(Base64URL.encode(bytes.span))\""
            #expect(try verdict(try maker.proof(jwk: ["x": value])).rejection == .key)
        }
        #expect(try verdict(try maker.proof(jwk: ["x": "\"\(Base64URL.encode(x.span))\""])).isAccepted)
        #expect(try verdict(try maker.proof(jwk: ["x": "\"\(text)=\""])).rejection == .key)
    }

    @Test("P6: An RSA key has 2048 to 8192 bits and an odd exponent of 3 at least, without leading zeros")
    func rsa() throws {
        let maker = try ProofMaker.rsa()
        #expect(try verdict(try maker.proof(), by: maker).isAccepted)
        let text = try #require(maker.jwk["n"]).dropFirst().dropLast()
        let modulus = try #require(decoded(String(text)))
        let short = Array(modulus.dropFirst())
        let long = modulus + [UInt8](repeating: 0xA5, count: 769)
        let huge = [UInt8](repeating: 0xA5, count: 2048)
        for bytes in [[0] + modulus, short, long, huge] {
            let value = "\"\(Base64URL.encode(bytes.span))\""
            #expect(try verdict(try maker.proof(jwk: ["n": value]), by: maker).rejection == .key, "\(bytes.count)")
        }
        for exponent in [#""AQ""#, #""AA""#, #""Ag""#, #""AAEAAQ""#, #""AQAA""#, #""____________""#, "65537"] {
            #expect(try verdict(try maker.proof(jwk: ["e": exponent]), by: maker).rejection == .key, "\(exponent)")
        }
        #expect(try verdict(try maker.proof(jwk: ["e": #""AQAB""#]), by: maker).isAccepted)
    }

    @Test("P7: An Ed25519 key has 32 bytes and is not of small order")
    func ed25519() throws {
        let maker = try ProofMaker.ed25519()
        #expect(try verdict(try maker.proof(), by: maker).isAccepted)
        for x in [[UInt8](repeating: 0, count: 32), [UInt8](repeating: 9, count: 31), [UInt8](repeating: 9, count: 33)]
        {
            let value = "\"\(Base64URL.encode(x.span))\""
            #expect(try verdict(try maker.proof(jwk: ["x": value]), by: maker).rejection == .key)
        }
        for curve in [#""X25519""#, #""Ed448""#, #""ed25519""#] {
            #expect(try verdict(try maker.proof(jwk: ["crv": curve]), by: maker).rejection == .key)
        }
    }

    @Test("J1: EdDSA and Ed25519 are two names, and a key that names one is for that one")
    func names() throws {
        let maker = try ProofMaker.ed25519()
        #expect(try verdict(try maker.proof(jwk: ["alg": #""Ed25519""#]), by: maker).isAccepted)
        #expect(try verdict(try maker.proof(jwk: ["alg": #""EdDSA""#]), by: maker).rejection == .jws(.keyAlgorithm))
    }

    @Test("D6: Only the key in the header can have signed, and what it signed is all of it")
    func signature() throws {
        let (maker, other) = (try ProofMaker.standard(), try ProofMaker.other())
        let proof = try maker.proof()
        let parts = String(decoding: proof, as: UTF8.self).split(separator: ".").map(String.init)
        let second = String(decoding: try maker.proof(["jti": #""p-2""#]), as: UTF8.self).split(separator: ".")
        let mixed = Array("\(parts[0]).\(second[1]).\(parts[2])".utf8)
        #expect(try verdict(proof).isAccepted)
        #expect(try verdict(mixed).rejection == .jws(.signature))
        // The jwk of the token's owner, the signature of somebody else (bug 13).
        let stolen = try other.proof(header: ["jwk": ProofMaker.json(maker.jwk, [:])])
        #expect(try verdict(stolen).rejection == .jws(.signature))
    }

    @Test("P5: An ECDSA signature is 64 bytes of two numbers within range")
    func signatureForms() throws {
        let proof = try ProofMaker.standard().proof()
        let parts = String(decoding: proof, as: UTF8.self).split(separator: ".").map(String.init)
        let signature = try #require(decoded(parts[2]))
        let zeros = [UInt8](repeating: 0, count: 64)
        let forms = [
            zeros, Array(signature.dropLast()), signature + [0], [UInt8](repeating: 0xFF, count: 64),
            [UInt8](repeating: 1, count: 3000), Array(signature.reversed()), [0x30, 0x44] + signature,
        ]
        for form in forms {
            let text = "\(parts[0]).\(parts[1]).\(Base64URL.encode(form.span))"
            #expect(try verdict(Array(text.utf8)).rejection == .jws(.signature))
        }
    }

    // MARK: The cache

    @Test("A key is remembered once it has verified a signature, and never before")
    func cache() throws {
        let verifier = DPoPVerifier(engine: try CryptographicEngine())
        let (maker, other) = (try ProofMaker.standard(), try ProofMaker.other())
        let forged = try other.proof(header: ["jwk": ProofMaker.json(maker.jwk, [:])])
        #expect(try verdict(forged, verifier: verifier).rejection == .jws(.signature))
        #expect(try verdict(try other.proof(), verifier: verifier).rejection == .keyBinding)
        #expect(verifier.cachedKeyCount == 0)
        for _ in 0..<3 { #expect(try verdict(try maker.proof(), verifier: verifier).isAccepted) }
        #expect(verifier.cachedKeyCount == 1)
        #expect(try verdict(forged, verifier: verifier).rejection == .jws(.signature))
        #expect(try verdict(try maker.proof(jwk: ["kid": #""k""#]), verifier: verifier).isAccepted)
        #expect(verifier.cachedKeyCount == 2)
    }

    @Test("However many keys come, no more than the capacity stay, and each is told from all others")
    func bound() throws {
        let verifier = DPoPVerifier(engine: try CryptographicEngine(), keyCapacity: 8)
        let makers = try (0..<24).map { _ in ProofMaker(key: try .generate(.ed25519), algorithm: .ed25519) }
        for round in 0..<3 {
            for maker in makers {
                let facts = try verdict(try maker.proof(), by: maker, verifier: verifier).get()
                #expect(facts.keyThumbprint == maker.key.publicKey.thumbprint, "\(round)")
            }
        }
        #expect(verifier.cachedKeyCount <= 8)
        let forgetful = DPoPVerifier(engine: try CryptographicEngine(), keyCapacity: 0)
        let maker = try ProofMaker.standard()
        #expect(try verdict(try maker.proof(), verifier: forgetful).isAccepted)
        #expect(forgetful.cachedKeyCount == 0)
    }
}
