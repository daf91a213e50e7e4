import Bytes
import Cryptography
import TLS

/// Reads `tls` of a listener.
struct ListenerTLSSection {
    private static let keys = ["certificates", "minimum_version", "resumption", "dangerously_log_tls_keys"]
    private static let certificateKeys = ["certificate_file", "private_key_file"]

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
        return TrustFile(context: context).certificate(
            section.required("certificate_file", "the path of a PEM file"),
            key: section.required("private_key_file", "the path of a PEM file"), refusedBy: "clients")
    }
}
