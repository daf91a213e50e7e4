import Bytes
import Cryptography
import TLS

/// Reads `tls` of a listener.
struct ListenerTLSSection {
    private static let keys = ["certificates", "minimum_version", "resumption", "dangerously_log_tls_keys"]
    private static let certificateKeys = ["certificate_file", "private_key_file", "ocsp_file"]

    private enum Resumption: String, CaseIterable { case bound, off }

    /// What the section says.
    struct Settings {
        let certificates: [ServerCertificate]
        let minimumVersion: TLSVersion
        let resumption: Bool
        let keyLogFile: String?
    }

    let context: LoadContext

    /// The settings, or nothing where there are faults.
    func read(_ reader: DocumentReader?, origins: [Origin]) -> Settings? {
        guard let section = reader?.section(Self.keys) else { return nil }
        let resumption = section.optional("resumption").map { $0.choice(Resumption.self) } ?? .bound
        let minimumVersion = section.optional("minimum_version").map { $0.choice(TLSVersion.self) } ?? .v13
        let keyLogFile = section.optional("dangerously_log_tls_keys").flatMap(readKeyLog)
        let list = section.required("certificates", "a list of certificate_file and private_key_file")
        guard let items = list?.items(atLeastOne: "certificate") else { return nil }
        let certificates = items.compactMap(readCertificate)
        guard certificates.count == items.count, let minimumVersion, let resumption else { return nil }
        for origin in origins where !certificates.contains(where: { $0.covers(host: origin.bareHost) }) {
            list?.warn("no certificate names \(origin.host); clients of \(origin) will refuse the gateway")
        }
        return Settings(
            certificates: certificates, minimumVersion: minimumVersion, resumption: resumption == .bound,
            keyLogFile: keyLogFile)
    }

    private func readKeyLog(_ reader: DocumentReader) -> String? {
        guard let path = reader.text() else { return nil }
        reader.warn(
            "DANGER: the secrets of every session of this listener are written to \(path); whoever reads it reads the "
                + "traffic, tokens included")
        return context.place.resolve(path)
    }

    private func readCertificate(_ reader: DocumentReader) -> ServerCertificate? {
        guard let section = reader.section(Self.certificateKeys) else { return nil }
        var certificate = TrustFile(context: context).certificate(
            section.required("certificate_file", "the path of a PEM file"),
            key: section.required("private_key_file", "the path of a PEM file"), refusedBy: "clients")
        if let leaf = certificate?.chain.first, let staple = section.optional("ocsp_file") {
            certificate?.staple = readStaple(staple, leaf)
        }
        return certificate
    }

    /// What is stapled; where it is stale it is left out until a reload finds a newer one.
    private func readStaple(_ reader: DocumentReader, _ leaf: Certificate) -> OCSPStaple? {
        guard let bytes = TrustFile(context: context).bytes(reader) else { return nil }
        do throws(OCSPStapleError) {
            let staple = try OCSPStaple(der: bytes, for: leaf)
            if !staple.isCurrent(at: context.now) {
                reader.warn("the response is not of this time and will not be sent; fetch a new one and reload")
            }
            return staple
        } catch {
            reader.refuse(Self.sentence(for: error))
            return nil
        }
    }

    private static func sentence(for error: OCSPStapleError) -> String {
        switch error {
        case .malformed, .invalidTime: "the file holds no OCSP response that can be read; write one in DER"
        case .unsuccessful: "the responder did not answer; fetch the response again"
        case .otherCertificate: "the response is not about this certificate; fetch the one that is"
        case .revoked: "the response says that the certificate is revoked; replace the certificate"
        case .unknown: "the responder does not know the certificate; ask that of its issuer"
        }
    }
}
