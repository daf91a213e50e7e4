import Bytes
import Cryptography

/// A revocation list in DER, or several in PEM: it is read to its last byte, keeps no more than it was given, and nobody but
/// the authority has signed it.
final class RevocationListHarness: Harness {
    private let engine: CryptographicEngine
    private let authority: Certificate
    private let key: PublicKey

    init() throws {
        engine = try CryptographicEngine()
        let pem = Self.authorityPEM
        guard let authority = try Certificate.chain(pem: pem.utf8.span).first else {
            throw Violation(property: "there is an authority")
        }
        self.authority = authority
        key = try PublicKey.ed25519(Self.keyBytes.span)
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let lists = try? CertificateRevocationList.all(in: input) else { return false }
        try demand(!lists.isEmpty, "a file that is accepted has a list")
        for list in lists { try check(list, byteCount: input.count) }
        guard let list = try? CertificateRevocationList(der: input) else { return true }
        try demand(lists.count == 1, "DER is one list")
        try demand(list.digest == engine.sha256(input), "the digest is that of the input")
        var bytes = Array(copying: input)
        bytes.append(0)
        try demand((try? CertificateRevocationList(der: bytes.span)) == nil, "nothing may follow")
        bytes.removeLast(2)
        try demand((try? CertificateRevocationList(der: bytes.span)) == nil, "nothing may be missing")
        if list.isSigned(by: authority) { try checkSignature(of: Array(copying: input)) }
        return true
    }

    private func check(_ list: CertificateRevocationList, byteCount: Int) throws(Violation) {
        try demand(!list.issuer.isEmpty, "an issuer has a name")
        try demand(list.thisUpdate <= list.nextUpdate, "a list ends after it begins")
        // A sequence of a number of one byte and a time of thirteen is the shortest entry.
        try demand(list.count * 20 <= byteCount, "a list has no more entries than there is room for")
        try demand(!list.edition.isOlder(than: list.edition), "no list is older than itself")
        if let number = list.number { try demand(number.first != 0, "a number has no leading zeros") }
    }

    /// What was signed is the first value inside, and the last 64 bytes are the signature.
    private func checkSignature(of bytes: [UInt8]) throws(Violation) {
        func header(_ start: Int) -> (content: Int, length: Int) {
            let first = Int(bytes[start + 1])
            guard first >= 0x80 else { return (start + 2, first) }
            let count = first & 0x7F
            let length = bytes[start + 2..<start + 2 + count].reduce(0) { $0 << 8 | Int($1) }
            return (start + 2 + count, length)
        }
        let start = header(0).content
        let inner = header(start)
        let signed = Array(bytes[start..<inner.content + inner.length])
        let signature = Array(bytes.suffix(64))
        try demand(
            engine.verifies(signature.span, of: signed.span, by: key, with: .ed25519), "the authority signed the list")
        var changed = bytes
        changed[start + signed.count / 2] ^= 1
        let other = try? CertificateRevocationList(der: changed.span)
        try demand(other?.isSigned(by: authority) != true, "the authority did not sign another list")
    }

    /// The key of ``authorityPEM``.
    private static let keyBytes: [UInt8] = [
        0xC9, 0xFA, 0xE0, 0x3B, 0x2E, 0x2E, 0x76, 0xE8, 0x2F, 0xB4, 0xFA, 0xBD, 0x12, 0x80, 0xEF, 0xB4, 0xD8, 0x81,
        0x07, 0x10, 0x6F, 0x40, 0xE0, 0x75, 0x1E, 0x00, 0x6A, 0xF8, 0xE1, 0x4F, 0x48, 0xDF,
    ]

    /// An authority made by Python's cryptography, whose key was thrown away.
    private static let authorityPEM = """
        -----BEGIN CERTIFICATE-----
        MIIBVTCCAQegAwIBAgIBATAFBgMrZXAwOjEQMA4GA1UEAwwHZWQyNTUxOTEZMBcG
        A1UECgwQQsO8Y2hlciAmIFPDtmhuZTELMAkGA1UEBhMCREUwHhcNMjYxMTAxMDAw
        MDAwWhcNMzYxMTAxMDAwMDAwWjA6MRAwDgYDVQQDDAdlZDI1NTE5MRkwFwYDVQQK
        DBBCw7xjaGVyICYgU8O2aG5lMQswCQYDVQQGEwJERTAqMAUGAytlcAMhAMn64Dsu
        LnboL7T6vRKA77TYgQcQb0DgdR4AavjhT0jfozIwMDAPBgNVHRMBAf8EBTADAQH/
        MB0GA1UdDgQWBBSc2332YvvBEc/T++7zGNCptaN/xDAFBgMrZXADQQDCDIh6xw3G
        oxpw+CGq7ivdovcgDSfAtZA0Bnh/LPesmxsCiHn9RSM0ggLyW1YF7b6WReYWeJGZ
        LkYluQLQyloK
        -----END CERTIFICATE-----
        """
}
