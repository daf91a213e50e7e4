import Bytes
import Cryptography
import Tokens

/// JWS in compact form, put together of parts that may be anything.
enum CompactForm {
    static func join(_ header: [UInt8], _ payload: [UInt8], _ signature: [UInt8]) -> [UInt8] {
        signingInput(header, payload) + [UInt8(ascii: ".")] + Base64URL.encode(signature.span).utf8
    }

    /// Signs header and payload with whatever algorithm suits the key.
    static func sign(_ header: [UInt8], _ payload: [UInt8], with key: PrivateKey) -> [UInt8]? {
        let input = signingInput(header, payload)
        let algorithm: SignatureAlgorithm = key.publicKey.kind == .ed25519 ? .ed25519 : .es256
        guard let signature = try? key.sign(input.span, with: algorithm) else { return nil }
        return input + [UInt8(ascii: ".")] + Base64URL.encode(signature.span).utf8
    }

    /// Changes one part, and mostly signs the whole again: so that the change is seen behind the signature.
    ///
    /// - Parameters:
    ///   - owner: who signs most of the time.
    ///   - stranger: who signs now and then.
    static func mutated(
        _ input: [UInt8], by mutation: Mutation, owner: PrivateKey, stranger: PrivateKey
    ) -> [UInt8]? {
        guard let jws = try? CompactJWS(input.span) else { return nil }
        switch mutation.seed % 8 {
        case 0, 1: return sign(mutation.bytes(jws.header), jws.payload, with: owner)
        case 2, 3, 4: return sign(jws.header, mutation.bytes(jws.payload), with: owner)
        case 5: return join(jws.header, jws.payload, mutation.bytes(jws.signature))
        case 6: return sign(jws.header, mutation.bytes(jws.payload), with: stranger)
        default: return nil
        }
    }

    private static func signingInput(_ header: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        Base64URL.encode(header.span).utf8 + [UInt8(ascii: ".")] + Base64URL.encode(payload.span).utf8
    }
}
