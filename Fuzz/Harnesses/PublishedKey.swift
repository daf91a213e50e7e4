import Bytes
import Cryptography
import Foundation

/// Private keys that everybody knows, because an RFC prints them: a corpus signed with them stays valid.
enum PublishedKey {
    /// The P-256 key of RFC 7515 §A.3.1.
    static func ellipticCurve() throws -> PrivateKey {
        try key(
            [
                0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04,
                0x20,
            ], "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")
    }

    /// The Ed25519 key of RFC 8037 §A.1.
    static func ed25519() throws -> PrivateKey {
        try key(
            [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
            "nWGxne_9WmC6hEr0kuwsERJxWl7MmkZcDusAxyuf2A0")
    }

    /// A PKCS#8 key of what stands before the number and of the number, in base64url.
    private static func key(_ prefix: [UInt8], _ number: String) throws -> PrivateKey {
        let der = Data(prefix + (Base64URL.decode(number.utf8.span) ?? []))
        let pem = "-----BEGIN PRIVATE KEY-----\n\(der.base64EncodedString())\n-----END PRIVATE KEY-----\n"
        return try PrivateKey(pem: pem.utf8.span)
    }
}
