import Bytes
import Cryptography
import Identity
import TLS

/// Reads `tls` of an upstream.
struct UpstreamTLSSection {
    private static let keys = ["ca_file", "server_name", "spiffe_ids", "certificate_file", "private_key_file"]

    let context: LoadContext

    /// The settings, or nothing where there are faults.
    func read(_ reader: DocumentReader) -> UpstreamTLS? {
        guard let section = reader.section(Self.keys) else { return nil }
        let authorities = section.required("ca_file", "the path of a PEM file of its authorities")
            .flatMap { TrustFile(context: context).authorities($0) }
        let serverName = section.optional("server_name").flatMap { $0.value(expected: "a host name", Self.hostName) }
        let spiffeIDs = section.optional("spiffe_ids").flatMap(readIdentifiers)
        let identity = readIdentity(section)
        guard let authorities else { return nil }
        return UpstreamTLS(
            authorities: authorities, serverName: serverName, spiffeIDs: spiffeIDs ?? [], identity: identity)
    }

    private static func hostName(_ text: String) -> String? {
        guard let place = HostPort(text), place.port == nil else { return nil }
        return place.host
    }

    private func readIdentifiers(_ reader: DocumentReader) -> [SPIFFEID]? {
        let identifiers = reader.distinct(atLeastOne: "SPIFFE ID, such as spiffe://example.org/service") { item in
            item.value(expected: "a SPIFFE ID with a path, such as spiffe://example.org/service") { text -> SPIFFEID? in
                guard let identifier = try? SPIFFEID(text.utf8.span), !identifier.path.isEmpty else { return nil }
                return identifier
            }
        }
        guard let identifiers else { return nil }
        guard Set(identifiers.map(\.trustDomain)).count == 1 else {
            reader.refuse(
                "the IDs are of several trust domains; ca_file is the bundle of one, so write an upstream for each")
            return nil
        }
        return identifiers
    }

    private func readIdentity(_ section: SectionReader) -> ServerCertificate? {
        let certificate = section.optional("certificate_file")
        let key = section.optional("private_key_file")
        guard let certificate, let key else {
            if certificate != nil || key != nil {
                section.refuse("certificate_file and private_key_file belong together; write both or neither")
            }
            return nil
        }
        return TrustFile(context: context).certificate(certificate, key: key, refusedBy: "the upstream")
    }
}
