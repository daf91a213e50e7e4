import Bytes
import Identity
import JSON

/// Reads `credential-change` (CAEP §3.3): of certificates and keys, which others than ours name no credential of an agent.
enum CredentialChange {
    private static let thumbprintURN = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"

    /// What was taken back; nothing where a credential came into being or was renewed.
    ///
    /// A certificate is named by `x509_issuer` and `x509_serial`, or, which is ours, by `fingerprint` (SHA-256 in hexadecimal); a key
    /// by `jkt`, which is ours as well, or by a subject that is a thumbprint URI (RFC 9278).
    static func event(_ content: JSONValue, _ subject: JSONValue) throws(SecurityEventFault) -> SecurityEvent {
        guard let change = content.member("change_type"), change.kind == .string else { throw .claim("change_type") }
        guard let type = content.member("credential_type"), type.kind == .string else {
            throw .claim("credential_type")
        }
        guard change.equals("revoke") || change.equals("delete") else {
            return .ignored("the credential was not taken back")
        }
        let targets = [try certificate(content), try key(content, subject)].compactMap(\.self)
        guard !targets.isEmpty else {
            // Whoever says that a certificate was taken back, and not which, must not be told that it is done.
            guard !type.equals("x509") else {
                throw .subject("it names no certificate: neither x509_issuer and x509_serial nor fingerprint")
            }
            return .ignored("it names neither a certificate nor a key")
        }
        return .revocation(targets, reason: EventReason.text(of: content) ?? "credential-change")
    }

    private static func certificate(_ content: JSONValue) throws(SecurityEventFault) -> SignalTarget? {
        if let value = content.member("fingerprint") {
            guard let text = value.string?.lowercased().filter({ $0 != ":" }),
                Digest256(hexadecimal: text.utf8.span) != nil
            else { throw .claim("fingerprint") }
            return SignalTarget(.certificate, text)
        }
        guard let serial = content.member("x509_serial") else { return nil }
        guard let number = serial.string?.lowercased().filter({ $0 != ":" }), !number.isEmpty,
            number.utf8.allSatisfy(isHexadecimal)
        else { throw .claim("x509_serial") }
        guard let issuer = content.member("x509_issuer")?.string, !issuer.isEmpty else { throw .claim("x509_issuer") }
        return SignalTarget(.certificate, number, issuer: issuer)
    }

    private static func key(_ content: JSONValue, _ subject: JSONValue) throws(SecurityEventFault) -> SignalTarget? {
        if let value = content.member("jkt") { return SignalTarget(.key, try thumbprint(value.string, "jkt")) }
        guard subject.member("format")?.equals("uri") == true, let uri = subject.member("uri")?.string,
            uri.hasPrefix(thumbprintURN)
        else { return nil }
        return SignalTarget(.key, try thumbprint(String(uri.dropFirst(thumbprintURN.count)), "sub_id.uri"))
    }

    private static func thumbprint(_ text: String?, _ name: String) throws(SecurityEventFault) -> String {
        guard let text, Digest256(base64URL: text.utf8.span) != nil else { throw .claim(name) }
        return text
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
