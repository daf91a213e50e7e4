import COpenSSL
import Testing

@testable import TLS

@Suite("Refusal of a certificate")
struct CertificateRefusalTests {
    @Test(
        "A client that is revoked is told so; one of whom nothing is known is not",
        arguments: [
            ("certificate.revoked", X509_V_ERR_CERT_REVOKED), ("revocation.agent", X509_V_ERR_CERT_REVOKED),
            ("revocation.certificate", X509_V_ERR_CERT_REVOKED), ("revocation.chain", X509_V_ERR_CERT_REVOKED),
            ("revocation.everything", X509_V_ERR_CERT_REVOKED), ("revocation.key", X509_V_ERR_CERT_REVOKED),
            ("revocation.stale", X509_V_ERR_CERT_REJECTED), ("certificate.crl-missing", X509_V_ERR_CERT_REJECTED),
            ("certificate.crl-expired", X509_V_ERR_CERT_REJECTED), ("certificate.expired", X509_V_ERR_CERT_HAS_EXPIRED),
        ])
    func alerts(reason: String, code: CInt) {
        #expect(CertificateRefusal(reason).alertCode == code)
    }
}
