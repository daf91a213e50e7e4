import Bytes
import Policy
import TLS

/// Reads the section `admin`.
struct AdminSection {
    private static let keys = ["address", "mode", "tls", "allow"]
    private static let tlsKeys = ["certificate_file", "private_key_file", "bundle_file", "trust_domain"]
    /// The bits that a socket's mode may have, and those that it must have.
    private static let (mostBits, leastBits): (UInt32, UInt32) = (0o660, 0o600)

    let context: LoadContext

    /// The settings, or nothing where there are faults.
    ///
    /// - Parameter take: notes that the address is taken.
    func read(_ reader: DocumentReader, take: (ListenAddress, DocumentReader) -> Void) -> AdminConfiguration? {
        guard let section = reader.section(Self.keys) else { return nil }
        guard
            let addressReader = section.required(
                "address", "where operators reach the gateway, such as \"unix:run/admin.sock\""),
            let address = addressReader.address(in: context.place)
        else { return nil }
        take(address, addressReader)
        switch address {
        case .unix(let path): return readUnix(path, section)
        case .ip(let host, let port): return readTCP(host, port, section)
        }
    }

    // MARK: Unix sockets

    private func readUnix(_ path: String, _ section: SectionReader) -> AdminConfiguration? {
        var isClean = true
        for key in ["tls", "allow"] {
            guard let reader = section.optional(key) else { continue }
            reader.refuse("a Unix socket is guarded by its mode; remove the key, or give a host:port as address")
            isClean = false
        }
        guard let reader = section.optional("mode") else { return isClean ? .unix(path: path, mode: 0o600) : nil }
        guard let mode = reader.value(expected: "\"0600\", or \"0660\" for the group too", Self.mode), isClean else {
            return nil
        }
        return .unix(path: path, mode: mode)
    }

    /// Three octal digits, or four the first of which is 0.
    private static func mode(_ text: String) -> UInt32? {
        let digits = text.utf8.count == 4 && text.hasPrefix("0") ? text.dropFirst() : text[...]
        guard digits.utf8.count == 3, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
            let mode = UInt32(digits, radix: 8), mode & ~mostBits == 0, mode & leastBits == leastBits
        else { return nil }
        return mode
    }

    // MARK: TCP

    private func readTCP(_ host: String, _ port: UInt16, _ section: SectionReader) -> AdminConfiguration? {
        if let mode = section.optional("mode") {
            mode.refuse("only a Unix socket has a mode; remove the key")
        }
        let tls = section.required(
            "tls",
            "certificate_file, private_key_file, bundle_file and trust_domain under it: nobody administers over "
                + "TCP without certificates")
        let allow = section.required("allow", "the SPIFFE IDs of those who may administer")
        let settings = tls.flatMap(readTLS)
        let patterns = allow.flatMap { readAllow($0, trustDomain: settings?.trustDomain) }
        guard let settings, let patterns, section.optional("mode") == nil else { return nil }
        return .tcp(
            host: host, port: port,
            AdminTLS(
                certificate: settings.certificate, trustDomain: settings.trustDomain, bundle: settings.bundle,
                allowed: patterns))
    }

    private func readTLS(_ reader: DocumentReader) -> AdminTLS? {
        guard let section = reader.section(Self.tlsKeys) else { return nil }
        let certificate = TrustFile(context: context).certificate(
            section.required("certificate_file", "the path of a PEM file"),
            key: section.required("private_key_file", "the path of a PEM file"), refusedBy: "operators")
        let bundle = section.required("bundle_file", "the path of a PEM file of the operators' authorities")
            .flatMap { TrustFile(context: context).authorities($0) }
        let trustDomain = section.required("trust_domain", "the operators' trust domain, such as example.org")?
            .trustDomain()
        guard let certificate, let bundle, let trustDomain else { return nil }
        return AdminTLS(certificate: certificate, trustDomain: trustDomain, bundle: bundle, allowed: [])
    }

    private func readAllow(_ reader: DocumentReader, trustDomain: String?) -> [AgentPattern]? {
        reader.distinct(atLeastOne: "SPIFFE ID, such as spiffe://example.org/operator/alice") { item in
            let pattern = item.value(
                expected:
                    "a SPIFFE ID with a path, such as spiffe://example.org/operator/alice, or spiffe://example.org/ops/*",
                Self.pattern)
            guard let pattern else { return nil }
            if let trustDomain, pattern.trustDomain != trustDomain {
                item.refuse("the ID is not of the trust domain \(trustDomain); its certificate would be refused")
                return nil
            }
            if pattern.text == "spiffe://\(pattern.trustDomain)/*" {
                item.warn("every workload of the trust domain may administer the gateway; name a path below it")
            }
            return pattern
        }
    }

    /// A trust domain itself is no workload, so its bare ID would match nobody.
    private static func pattern(_ text: String) -> AgentPattern? {
        guard let pattern = AgentPattern(text) else { return nil }
        return text.dropFirst("spiffe://".count).contains("/") ? pattern : nil
    }
}
