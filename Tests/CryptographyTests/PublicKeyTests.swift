import Bytes
import Cryptography
import Testing

@Suite("Public key")
struct PublicKeyTests {
    /// RFC 7638 §3.1.
    static let rfc7638Modulus = """
        0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM\
        stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5\
        hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw
        """
    /// RFC 8037 appendix A.2.
    static let rfc8037X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    /// RFC 7515 appendix A.3.
    static let rfc7515X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    static let rfc7515Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

    @Test("The thumbprint of RFC 7638's RSA key is that of RFC 7638")
    func rsaThumbprint() throws {
        let key = try PublicKey.rsa(base64URL(Self.rfc7638Modulus))
        #expect(key.thumbprint.base64URL == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        #expect(key.kind == .rsa(bits: 2048))
    }

    @Test("The thumbprint of RFC 8037's Ed25519 key is that of RFC 8037")
    func ed25519Thumbprint() throws {
        let x = base64URL(Self.rfc8037X)
        let key = try PublicKey.ed25519(x)
        #expect(key.thumbprint.base64URL == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        #expect(key.kind == .ed25519)
    }

    @Test("The thumbprint of an AgentWrit broker's key is its key ID")
    func brokerThumbprint() throws {
        let x = base64URL("A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg")
        #expect(try PublicKey.ed25519(x).thumbprint.base64URL == "1IG2tMH7J2wbJZnOf8LJzQitKf7LMvoAElsuDMVM54Y")
    }

    @Test("The thumbprint of an elliptic-curve key hashes crv, kty, x and y in that order")
    func ellipticCurveThumbprint() throws {
        let key = try PublicKey.p256(base64URL(Self.rfc7515X), base64URL(Self.rfc7515Y))
        let canonical = #"{"crv":"P-256","kty":"EC","x":"\#(Self.rfc7515X)","y":"\#(Self.rfc7515Y)"}"#
        #expect(key.thumbprint == (try CryptographicEngine().sha256(canonical)))
        #expect(key.kind == .ellipticCurve(.p256))
    }

    @Test("A coordinate must be as long as the field, no more and no less")
    func coordinateLength() throws {
        let (x, y) = (base64URL(Self.rfc7515X), base64URL(Self.rfc7515Y))
        #expect(throws: Never.self) { try PublicKey.p256(x, y) }
        #expect(throws: KeyError.malformed) { try PublicKey.p256([0] + x, y) }
        #expect(throws: KeyError.malformed) { try PublicKey.p256(x, [0] + y) }
        #expect(throws: KeyError.malformed) { try PublicKey.p256(Array(x.dropFirst()), y) }
        #expect(throws: KeyError.malformed) { try PublicKey.p256([], []) }
        #expect(throws: KeyError.malformed) { try PublicKey.on(.p384, x, y) }
    }

    @Test("A point must lie on its curve, with reduced coordinates")
    func offCurve() throws {
        let (x, y) = (base64URL(Self.rfc7515X), base64URL(Self.rfc7515Y))
        var other = y
        other[31] ^= 1
        #expect(throws: KeyError.notOnCurve) { try PublicKey.p256(x, other) }
        #expect(throws: KeyError.self) {
            try PublicKey.p256([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32))
        }
        #expect(throws: KeyError.malformed) { try PublicKey.p256([UInt8](repeating: 255, count: 32), y) }
    }

    @Test(
        "A modulus has 2048 to 8192 bits",
        arguments: [(2048, nil), (2047, KeyError.weak), (8192, nil), (8193, .unsupported)])
    func modulusSize(bits: Int, error: KeyError?) throws {
        var modulus = [UInt8](repeating: 0xff, count: (bits + 7) / 8)
        modulus[0] = UInt8(truncatingIfNeeded: (1 << ((bits - 1) % 8 + 1)) - 1)
        if let error {
            #expect(throws: error) { try PublicKey.rsa(modulus) }
        } else {
            #expect(try PublicKey.rsa(modulus).kind == .rsa(bits: bits))
        }
    }

    @Test(
        "An exponent is odd, at least 3, at most 64 bits long and has no leading zero",
        arguments: [
            ([3], nil), ([1, 0, 1], nil), ([1], KeyError.weak), ([2], .malformed), ([], .malformed), ([0], .malformed),
            ([0, 1, 0, 1], .malformed), ([255, 255, 255, 255, 255, 255, 255, 255], nil),
            ([1, 0, 0, 0, 0, 0, 0, 0, 1], .unsupported),
        ])
    func exponent(exponent: [UInt8], error: KeyError?) throws {
        let modulus = base64URL(Self.rfc7638Modulus)
        if let error {
            #expect(throws: error) { try PublicKey.rsa(modulus, exponent) }
        } else {
            #expect(throws: Never.self) { try PublicKey.rsa(modulus, exponent) }
        }
    }

    @Test("A modulus is odd and has no leading zero")
    func modulusForm() throws {
        let modulus = base64URL(Self.rfc7638Modulus)
        #expect(throws: Never.self) { try PublicKey.rsa(modulus) }
        #expect(throws: KeyError.malformed) { try PublicKey.rsa([0] + modulus) }
        #expect(throws: KeyError.malformed) { try PublicKey.rsa(modulus.dropLast() + [0]) }
        #expect(throws: KeyError.malformed) { try PublicKey.rsa([]) }
    }

    @Test(
        "An Ed25519 key has 32 bytes, is reduced and is not of small order",
        arguments: [
            ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", nil),
            ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751", KeyError.malformed),
            ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a00", .malformed),
            ("0000000000000000000000000000000000000000000000000000000000000000", .weak),
            ("0100000000000000000000000000000000000000000000000000000000000000", .weak),
            ("0100000000000000000000000000000000000000000000000000000000000080", .weak),
            ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", .weak),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", .weak),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", .weak),
            ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", .weak),
            ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", .malformed),
            ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", .malformed),
            ("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", nil),
        ])
    func ed25519(text: String, error: KeyError?) throws {
        let x = hex(text)
        if let error {
            #expect(throws: error) { try PublicKey.ed25519(x) }
        } else {
            #expect(throws: Never.self) { try PublicKey.ed25519(x) }
        }
    }

    @Test("A key accepts the algorithms of its own kind and curve, and no other")
    func acceptance() throws {
        let expectations: [(PrivateKey.Kind, Set<SignatureAlgorithm>)] = [
            (.ellipticCurve(.p256), [.es256]), (.ellipticCurve(.p384), [.es384]), (.ellipticCurve(.p521), [.es512]),
            (.ed25519, [.ed25519, .edDSA]), (.rsa(bits: 2048), [.ps256, .ps384, .ps512, .rs256, .rs384, .rs512]),
        ]
        for (kind, accepted) in expectations {
            let key = try TestKey.first(kind).publicKey
            for algorithm in SignatureAlgorithm.allCases {
                #expect(key.accepts(algorithm) == accepted.contains(algorithm), "\(kind), \(algorithm)")
            }
        }
    }

    @Test("Keys are equal where their numbers are")
    func equality() throws {
        let x = base64URL(Self.rfc8037X)
        #expect(try PublicKey.ed25519(x) == PublicKey.ed25519(x))
        #expect(try PublicKey.ed25519(x) != PrivateKey.generate(.ed25519).publicKey)
    }
}
