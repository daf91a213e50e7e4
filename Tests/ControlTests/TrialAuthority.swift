import Bytes
import Cryptography
import Foundation
import TLS

/// An authority for the servers of the tests, and the file by which it is trusted.
final class TrialAuthority: Sendable {
    /// The authority of all tests that do not ask for another.
    static let shared = Result { try TrialAuthority() }

    /// From 2020 to 2050: the client compares with the clock of the machine.
    static let validity = UnixTime(seconds: 1_577_836_800)...UnixTime(seconds: 2_524_608_000)

    /// The PEM file of its certificate.
    let file: String
    private let authority: CertificateAuthority

    init() throws {
        authority = try CertificateAuthority.make(commonName: "trial", validFor: Self.validity)
        let place = FileManager.default.temporaryDirectory.appending(path: "sallyport-\(UUID().uuidString).pem")
        try authority.certificate.pem.write(to: place, atomically: true, encoding: .utf8)
        file = place.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: file)
    }

    /// A certificate for a server.
    func identity(
        dnsNames: [String] = ["localhost"], until end: UnixTime = validity.upperBound
    ) throws -> ServerCertificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let certificate = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "server", dnsNames: dnsNames,
                notBefore: Self.validity.lowerBound, notAfter: end))
        return ServerCertificate(chain: [certificate], key: key)
    }
}
