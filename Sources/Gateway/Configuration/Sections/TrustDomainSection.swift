import Bytes
import Cryptography
import Identity

/// Reads the trust domains of a listener, each with who vouches for its members, and what tells who is revoked.
struct TrustDomainSection {
    private static let keys = ["name", "bundle_file", "crl_file"] + urlKeys
    private static let urlKeys = ["crl_url", "crl_refresh", "crl_ca_file"]
    private static let refreshRange = Interval.seconds(10)...Interval.seconds(24 * 3600)

    let context: LoadContext
    let identity: IdentityMode
    let deniesWhenStale: Bool
    private var names = NameRegister(kind: "trust domain of this listener")

    init(context: LoadContext, identity: IdentityMode, deniesWhenStale: Bool) {
        self.context = context
        self.identity = identity
        self.deniesWhenStale = deniesWhenStale
    }

    /// Whether the section `revocation` leaves out what its key says otherwise; what is wrong with it is said where it is read.
    static func deniesWhenStale(_ root: SectionReader) -> Bool {
        guard case .mapping(let entries)? = root.optional("revocation")?.node.content,
            let entry = entries.first(where: { $0.key == "when_stale" }), case .scalar("allow") = entry.value.content
        else { return true }
        return false
    }

    /// The trust domain, or nothing where it is wrong.
    mutating func read(_ reader: DocumentReader) -> TrustDomainConfiguration? {
        guard let section = reader.section(Self.keys) else { return nil }
        let nameReader = section.required("name", "the name of the trust domain, such as example.org")
        let name = identity == .spiffe ? nameReader?.trustDomain() : nameReader?.name()
        if let name, let nameReader { names.take(name, nameReader) }
        let bundle = section.required("bundle_file", "the path of a PEM file of its authorities")
            .flatMap { TrustFile(context: context).authorities($0) }
        let lists = readLists(section, bundle)
        guard let name, let bundle, let lists else { return nil }
        return TrustDomainConfiguration(name: name, bundle: bundle, revocationLists: lists.source)
    }

    /// The source, or `nil` inside the result where there is none; nothing where it is wrong.
    private func readLists(
        _ section: SectionReader, _ bundle: [Certificate]?
    ) -> (source: RevocationListSource?, Void)? {
        if let reader = section.optional("crl_url") {
            guard section.optional("crl_file") == nil else {
                reader.refuse("crl_file stands beside it; keep one of them")
                return nil
            }
            return readLocation(reader, section).map { location in
                (RevocationListSource(location: location, lists: [], deniesWhenStale: deniesWhenStale), ())
            }
        }
        var isClean = true
        for key in Self.urlKeys {
            guard let reader = section.optional(key) else { continue }
            reader.refuse("this is for lists from a crl_url only; remove it")
            isClean = false
        }
        guard let reader = section.optional("crl_file") else { return isClean ? (nil, ()) : nil }
        guard let lists = readFile(reader, bundle), isClean, let path = reader.text() else { return nil }
        let location = RevocationListLocation.file(context.place.resolve(path))
        return (RevocationListSource(location: location, lists: lists, deniesWhenStale: deniesWhenStale), ())
    }

    // MARK: A URL

    private func readLocation(_ reader: DocumentReader, _ section: SectionReader) -> RevocationListLocation? {
        let url = reader.value(expected: "a URL such as https://ca.example/agents.crl", EndpointURL.init)
        if let url, url.isPlain {
            reader.refuse("plain http is not safe here: old lists could be passed off as new; write https")
            return nil
        }
        let refresh =
            section.optional("crl_refresh").map { $0.duration(in: Self.refreshRange) }
            ?? RevocationListLocation.standardRefreshInterval
        var authorityFile: String?
        if let authority = section.optional("crl_ca_file") {
            guard TrustFile(context: context).certificates(authority) != nil, let path = authority.text() else {
                return nil
            }
            authorityFile = context.place.resolve(path)
        }
        guard let url, let refresh else { return nil }
        return .url(url.text, refreshInterval: refresh, authorityFile: authorityFile)
    }

    // MARK: A file

    private func readFile(_ reader: DocumentReader, _ bundle: [Certificate]?) -> [CertificateRevocationList]? {
        let file = TrustFile(context: context).bytes(reader, atMost: RevocationListLocation.maximumByteCount)
        guard let file else { return nil }
        let lists: [CertificateRevocationList]
        do throws(RevocationListError) {
            lists = try CertificateRevocationList.all(in: file.span)
        } catch {
            reader.refuse("a list of the file \(error)")
            return nil
        }
        for list in lists where list.isForged(among: bundle ?? []) {
            reader.refuse(
                "the list of \(DocumentReader.quoted(list.issuer)) is not signed by that authority of the bundle; "
                    + "publish it anew")
            return nil
        }
        for list in lists where list.isExpired(at: context.now) { warn(reader, expired: list) }
        return lists
    }

    private func warn(_ reader: DocumentReader, expired list: CertificateRevocationList) {
        let issuer = DocumentReader.quoted(list.issuer)
        reader.warn(
            deniesWhenStale
                ? "the list of \(issuer) has expired; its clients will all be refused until a current one is here"
                : "the list of \(issuer) has expired; revocation.when_stale lets clients in whom a current one may name"
        )
    }
}
