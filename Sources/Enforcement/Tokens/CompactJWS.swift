import Bytes
public import Cryptography

/// A JWS in the compact serialisation, taken apart and decoded, but not yet believed (RFC 7515 §3.1).
public struct CompactJWS: Sendable {
    /// The protected header: bytes that should be JSON.
    public let header: [UInt8]
    /// The payload; it may be empty.
    public let payload: [UInt8]
    /// The signature.
    public let signature: [UInt8]
    /// The bytes of the compact form, from its start, that the signature covers.
    public let signingInput: Range<Int>

    /// Takes `compact` apart.
    ///
    /// There must be exactly two dots, and between them nothing but the canonical base64url of RFC 7515 §2: no padding, no
    /// white space, no bits to spare. So one JWS has one spelling (RFC 8725bis §3.14).
    public init(_ compact: Span<UInt8>) throws(JWSError) {
        let dot = UInt8(ascii: ".")
        guard let first = compact.firstIndex(of: dot), let second = compact.firstIndex(of: dot, from: first + 1) else {
            throw .malformed
        }
        if let third = compact.firstIndex(of: dot, from: second + 1) {
            throw compact.isJWE(from: third) ? .encrypted : .malformed
        }
        guard first > 0, second + 1 < compact.count,
            let header = Base64URL.decode(compact.extracting(0..<first)),
            let payload = Base64URL.decode(compact.extracting(first + 1..<second)),
            let signature = Base64URL.decode(compact.extracting(second + 1..<compact.count))
        else { throw .malformed }
        self.header = header
        self.payload = payload
        self.signature = signature
        signingInput = 0..<second
    }

    /// Verifies the signature.
    ///
    /// - Parameters:
    ///   - compact: the bytes that this was taken from.
    ///   - key: the key that must have signed, chosen for `algorithm` by ``KeySet/key(for:among:)``.
    ///   - algorithm: the header's.
    ///   - engine: the thread's.
    /// - Throws: `signature`.
    public func verify(
        _ compact: Span<UInt8>, by key: PublicKey, with algorithm: SignatureAlgorithm, engine: CryptographicEngine
    ) throws(JWSError) {
        let message = compact.extracting(signingInput)
        guard engine.verifies(signature.span, of: message, by: key, with: algorithm) else { throw .signature }
    }
}

extension Span where Element == UInt8 {
    /// Whether exactly one more dot follows the third, so that there are five parts (RFC 7516 §3.1).
    fileprivate func isJWE(from third: Int) -> Bool {
        let dot = UInt8(ascii: ".")
        guard let fourth = firstIndex(of: dot, from: third + 1) else { return false }
        return firstIndex(of: dot, from: fourth + 1) == nil
    }
}
