import Bytes
import Cryptography
import Testing

// Spans cannot be operands of `#expect`: these take what tests write down, and pass its bytes on.

extension CryptographicEngine {
    func sha256(_ bytes: [UInt8]) -> Digest256 { sha256(bytes.span) }

    func sha256(_ text: String) -> Digest256 { sha256(Array(text.utf8)) }

    func verifies(
        _ signature: [UInt8], of message: [UInt8], by key: PublicKey, with algorithm: SignatureAlgorithm
    ) -> Bool {
        verifies(signature.span, of: message.span, by: key, with: algorithm)
    }
}

extension SignatureAlgorithm {
    static func named(_ name: String) -> SignatureAlgorithm? {
        let bytes = Array(name.utf8)
        return SignatureAlgorithm(joseName: bytes.span)
    }
}

extension PublicKey {
    static func p256(_ x: [UInt8], _ y: [UInt8]) throws(KeyError) -> PublicKey { try on(.p256, x, y) }

    static func on(_ curve: EllipticCurve, _ x: [UInt8], _ y: [UInt8]) throws(KeyError) -> PublicKey {
        try ellipticCurve(curve, x: x.span, y: y.span)
    }

    static func rsa(_ modulus: [UInt8], _ exponent: [UInt8] = [1, 0, 1]) throws(KeyError) -> PublicKey {
        try rsa(modulus: modulus.span, exponent: exponent.span)
    }

    static func ed25519(_ x: [UInt8]) throws(KeyError) -> PublicKey { try ed25519(x.span) }
}

extension PrivateKey {
    static func read(_ pem: String) throws(KeyError) -> PrivateKey {
        let bytes = Array(pem.utf8)
        return try PrivateKey(pem: bytes.span)
    }

    func sign(_ message: [UInt8], with algorithm: SignatureAlgorithm) throws(KeyError) -> [UInt8] {
        try sign(message.span, with: algorithm)
    }

    func sign(_ text: String, with algorithm: SignatureAlgorithm) throws(KeyError) -> [UInt8] {
        try sign(Array(text.utf8), with: algorithm)
    }
}

extension Certificate {
    static func read(_ der: [UInt8]) throws(CertificateError) -> Certificate { try Certificate(der: der.span) }

    static func chain(_ pem: String) throws(CertificateError) -> [Certificate] {
        let bytes = Array(pem.utf8)
        return try chain(pem: bytes.span)
    }
}

/// Keys to sign with: new ones, but for RSA, where two serve all tests because they take long to make.
enum TestKey {
    private static let firstRSA = Result { try PrivateKey.read(Fixtures.pkcs1Key) }
    private static let secondRSA = Result { try PrivateKey.generate(.rsa(bits: 2048)) }

    static func first(_ kind: PrivateKey.Kind) throws -> PrivateKey {
        if case .rsa = kind { try firstRSA.get() } else { try PrivateKey.generate(kind) }
    }

    static func second(_ kind: PrivateKey.Kind) throws -> PrivateKey {
        if case .rsa = kind { try secondRSA.get() } else { try PrivateKey.generate(kind) }
    }
}

/// A text of many lines under a name, so that a test's report stays readable.
struct Sample: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String

    init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }

    var testDescription: String { name }
}
