import Bytes
import Cryptography
import Identity

/// A certificate in DER, or several in PEM: what was read is what the bytes are, and the name that it gives its holder is sound.
final class CertificateHarness: Harness {
    private let engine: CryptographicEngine

    init() throws {
        engine = try CryptographicEngine()
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        if input.count > 0, input[0] == 0x30 { return try acceptsDER(input) }
        guard let chain = try? Certificate.chain(pem: input) else { return false }
        try demand(!chain.isEmpty, "a chain that is accepted has a certificate")
        for certificate in chain {
            let der = certificate.der
            try demand(try acceptsDER(der.span), "a certificate of a chain is accepted by itself")
        }
        return true
    }

    private func acceptsDER(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let certificate = try? Certificate(der: input) else { return false }
        let facts = certificate.facts
        try demand(facts.der == Array(copying: input), "the DER of a certificate is its input")
        try demand(facts.fingerprint == engine.sha256(input), "the fingerprint is the SHA-256 of the input")
        let again = (try? Certificate.chain(pem: certificate.pem.utf8.span))?.map(\.facts)
        try demand(again == [facts], "a certificate written in PEM is read as the same")
        guard let identifier = try? X509SVID.identifier(of: facts) else { return true }
        try check(identifier, of: facts)
        return true
    }

    private func check(_ identifier: SPIFFEID, of facts: CertificateFacts) throws(Violation) {
        let uris = facts.alternativeNames.compactMap { name in
            if case .uri(let uri) = name { uri } else { nil }
        }
        try demand(uris == [Array(identifier.text.utf8)], "an X509-SVID has one URI, which is its name")
        try demand((try? SPIFFEID(identifier.text.utf8.span)) == identifier, "the name is read as that name")
        try demand(!identifier.path.isEmpty, "the name has a path")
        try demand(!facts.isCertificateAuthority, "an X509-SVID is no authority")
        let purposes = facts.keyUsage?.purposes ?? []
        try demand(purposes.contains(.digitalSignature), "an X509-SVID may sign")
        try demand(purposes.isDisjoint(with: [.keyCertSign, .crlSign]), "an X509-SVID may certify nothing")
    }
}
