import Bytes
import Cryptography
import Foundation
import Testing

@Suite("Private key")
struct PrivateKeyTests {
    static let kinds: [PrivateKey.Kind] = [
        .ellipticCurve(.p256), .ellipticCurve(.p384), .ellipticCurve(.p521), .ed25519, .rsa(bits: 2048),
    ]

    @Test("A key written and read again is the same key", arguments: kinds)
    func roundTrip(kind: PrivateKey.Kind) throws {
        let key = try TestKey.second(kind)
        #expect(key.pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        let again = try PrivateKey.read(key.pem)
        #expect(again.publicKey == key.publicKey)
        #expect(again.pem == key.pem)
    }

    @Test("Two keys that were made differ", arguments: kinds)
    func entropy(kind: PrivateKey.Kind) throws {
        #expect(try TestKey.first(kind).publicKey != TestKey.second(kind).publicKey)
    }

    @Test("An RSA key has 2048 to 8192 bits")
    func rsaSize() throws {
        #expect(throws: KeyError.weak) { try PrivateKey.generate(.rsa(bits: 1024)) }
        #expect(throws: KeyError.unsupported) { try PrivateKey.generate(.rsa(bits: 16_384)) }
    }

    @Test(
        "PEM of other programs is read",
        arguments: [
            (Sample("SEC 1", Fixtures.sec1Key), PublicKey.Kind.ellipticCurve(.p256)),
            (Sample("PKCS#1", Fixtures.pkcs1Key), .rsa(bits: 2048)),
            (Sample("PKCS#8", Fixtures.pkcs8Key), .ellipticCurve(.p256)),
            (Sample("PKCS#8, Ed25519", Fixtures.ed25519Key), .ed25519),
            (Sample("behind a note", "a note\n\n" + Fixtures.pkcs8Key), .ellipticCurve(.p256)),
            (
                Sample("behind a certificate", Fixtures.plainCertificate + "\n" + Fixtures.pkcs8Key),
                .ellipticCurve(.p256)
            ),
        ])
    func pem(sample: Sample, kind: PublicKey.Kind) throws {
        #expect(try PrivateKey.read(sample.text).publicKey.kind == kind)
    }

    @Test("The public half is what OpenSSL's own tool says it is")
    func publicHalf() throws {
        let point = hex(
            "171def746761e39bf725cd995f4810234a16db422e61cff8ee3ba65946052e2d"
                + "845c10d937af31050e63ead7d5ee44a48d3d20acca3841f7b42946eb98dfa3b7")
        let key = try PrivateKey.read(Fixtures.sec1Key).publicKey
        #expect(key == (try PublicKey.p256(Array(point[..<32]), Array(point[32...]))))
        let x = hex("61bc97d31f0072c6697dedb2de740cad2de4d29610075d1b3c59f5033616a284")
        #expect(try PrivateKey.read(Fixtures.ed25519Key).publicKey == PublicKey.ed25519(x))
    }

    @Test(
        "A key that is encrypted, short, of a foreign kind or not one at all is refused",
        arguments: [
            (Sample("encrypted PKCS#8", Fixtures.encryptedPKCS8Key), KeyError.encrypted),
            (Sample("encrypted SEC 1", Fixtures.encryptedSEC1Key), .encrypted),
            (Sample("RSA of 1024 bits", Fixtures.shortRSAKey), .weak),
            (Sample("secp256k1", Fixtures.secp256k1Key), .unsupported),
            (Sample("X25519", Fixtures.x25519Key), .unsupported),
            (Sample("halves of two keys", Fixtures.mismatchedKey), .malformed),
            (Sample("a certificate", Fixtures.plainCertificate), .malformed),
            (Sample("nothing", ""), .malformed), (Sample("garbage", "garbage"), .malformed),
            (Sample("cut off", String(Fixtures.pkcs8Key.dropLast(40))), .malformed),
            (Sample("a wrong length", Fixtures.pkcs8Key.replacing("MIGH", with: "MIGI")), .malformed),
        ])
    func refusals(sample: Sample, error: KeyError) {
        #expect(throws: error) { try PrivateKey.read(sample.text) }
    }

    @Test(
        "The JWK holds the public numbers, the algorithm, the key ID and the use, and nothing private", arguments: kinds
    )
    func jwk(kind: PrivateKey.Kind) throws {
        let key = try TestKey.second(kind)
        let algorithm = try #require(SignatureAlgorithm.allCases.first { key.publicKey.accepts($0) })
        let text = key.publicJWK(keyID: "a \"key\" \\ \n ü", algorithm: algorithm)
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        let members = try #require(object as? [String: String])
        #expect(members["kid"] == "a \"key\" \\ \n ü")
        #expect(members["alg"] == algorithm.rawValue)
        #expect(members["use"] == "sig")
        let expected: Set<String> =
            switch kind {
            case .ellipticCurve: ["crv", "kty", "x", "y"]
            case .rsa: ["e", "kty", "n"]
            case .ed25519: ["crv", "kty", "x"]
            }
        #expect(Set(members.keys) == expected.union(["alg", "kid", "use"]))
        if case .ellipticCurve(let curve) = kind {
            let (x, y) = (base64URL(members["x"] ?? ""), base64URL(members["y"] ?? ""))
            #expect(try PublicKey.on(curve, x, y) == key.publicKey)
        }
    }

    @Test("A JWK without key ID and algorithm leaves them out")
    func bareJWK() throws {
        let text = try PrivateKey.generate(.ed25519).publicJWK(keyID: nil, algorithm: nil)
        #expect(text.hasPrefix(#"{"crv":"Ed25519","kty":"OKP","x":""#))
        #expect(text.hasSuffix(#"","use":"sig"}"#))
    }
}
