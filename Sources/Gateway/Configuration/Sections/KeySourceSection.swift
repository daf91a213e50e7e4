import Bytes
import Cryptography
import Tokens

/// Reads where the keys of an issuer come from: a file, a URL, or nowhere, since the issuer is asked about each token.
struct KeySourceSection {
    /// The keys of an issuer that are about its source.
    static let keys = ["jwks_file", "jwks_url", "introspection"] + urlKeys
    private static let urlKeys = ["refresh_interval", "maximum_staleness", "ca_file", "dangerously_allow_plain_http"]
    private static let endpointKeys = [
        "url", "client_id", "client_secret_file", "cache", "timeout", "ca_file", "dangerously_allow_plain_http",
    ]
    private static let refreshRange = Interval.seconds(10)...Interval.seconds(24 * 3600)
    private static let stalenessRange = Interval.seconds(60)...Interval.seconds(30 * 24 * 3600)
    private static let cacheRange = Interval.zero...Interval.seconds(3600)
    private static let timeoutRange = Interval.milliseconds(100)...Interval.seconds(30)

    let context: LoadContext
    /// The issuer.
    let section: SectionReader

    /// The source, with the keys that it has already.
    func read(for algorithms: [SignatureAlgorithm]?) -> (source: KeySource, keys: KeySet)? {
        let isAlone = checkThatOneStands()
        if section.optional("jwks_url") == nil { refuseURLKeys() }
        if let reader = section.optional("introspection") {
            guard let endpoint = readEndpoint(reader), isAlone else { return nil }
            return (.introspection(endpoint), .none)
        }
        if let reader = section.optional("jwks_url") {
            guard let location = readLocation(reader), isAlone else { return nil }
            return (.url(location), .none)
        }
        let file = section.required("jwks_file", "the path of the issuer's JWK set; or jwks_url, or introspection")
        return file.flatMap { readKeys($0, for: algorithms) }.map { (.file, $0) }
    }

    /// Two sources might disagree: which one counts must not be a guess.
    private func checkThatOneStands() -> Bool {
        let first = ["introspection", "jwks_file", "jwks_url"].first { section.optional($0) != nil }
        var isAlone = true
        for key in ["jwks_file", "jwks_url"] where key != first {
            guard let first, let reader = section.optional(key) else { continue }
            reader.refuse("\(first) stands beside it; keep one of them")
            isAlone = false
        }
        return isAlone
    }

    private func refuseURLKeys() {
        for key in Self.urlKeys {
            section.optional(key)?.refuse("this is for keys from a jwks_url only; remove it")
        }
    }

    // MARK: A file

    private func readKeys(_ reader: DocumentReader, for algorithms: [SignatureAlgorithm]?) -> KeySet? {
        guard let bytes = TrustFile(context: context).bytes(reader) else { return nil }
        do throws(KeySetError) {
            let set = try KeySet(jwks: bytes.span)
            if let algorithms, !set.keys.contains(where: { key in algorithms.contains { key.publicKey.accepts($0) } }) {
                reader.warn("no key of the set is for one of algorithms; every token of the issuer will be refused")
            }
            return set
        } catch {
            reader.refuse("the file cannot be used (\(error)); write the issuer's public keys as a JWK set")
            return nil
        }
    }

    // MARK: A URL

    private func readLocation(_ reader: DocumentReader) -> KeySetLocation? {
        let url = readURL(reader, in: section, danger: "can put keys of their own in it, and issue any token")
        let refresh = duration(
            section.optional("refresh_interval"), in: Self.refreshRange, KeySetLocation.standardRefreshInterval)
        let staleness = duration(
            section.optional("maximum_staleness"), in: Self.stalenessRange, KeySetLocation.standardMaximumStaleness)
        let authority = readAuthority(section.optional("ca_file"))
        guard let url, let refresh, let staleness, let authority else { return nil }
        guard staleness >= refresh else {
            (section.optional("maximum_staleness") ?? reader).refuse(
                "keys would be too old before they are fetched again; make it refresh_interval or longer")
            return nil
        }
        return KeySetLocation(
            url: url, refreshInterval: refresh, maximumStaleness: staleness, authorityFile: authority.path)
    }

    /// A URL with `https`, or with `http` where the section says that it may.
    private func readURL(_ reader: DocumentReader, in section: SectionReader, danger: String) -> String? {
        let permission = section.optional("dangerously_allow_plain_http")
        let mayBePlain = permission.map { $0.flag() } ?? false
        guard let url = reader.value(expected: "a URL such as https://broker.example/keys", EndpointURL.init),
            let mayBePlain
        else { return nil }
        guard url.isPlain else { return url.text }
        guard mayBePlain else {
            reader.refuse("plain http is not safe here; write https, or add dangerously_allow_plain_http: true")
            return nil
        }
        reader.warn("anyone on the way to this URL \(danger); use https")
        return url.text
    }

    /// The path of a PEM file with certificates, or `nil` inside the result where the key is absent; nothing where it is wrong.
    private func readAuthority(_ reader: DocumentReader?) -> (path: String?, Void)? {
        guard let reader else { return (nil, ()) }
        guard TrustFile(context: context).certificates(reader) != nil, let path = reader.text() else { return nil }
        return (context.place.resolve(path), ())
    }

    // MARK: Introspection

    private func readEndpoint(_ reader: DocumentReader) -> IntrospectionEndpoint? {
        guard let section = reader.section(Self.endpointKeys) else { return nil }
        let url = section.required("url", "where the issuer says whether a token is valid").flatMap {
            readURL($0, in: section, danger: "reads every token, and can say yes to any")
        }
        let client = section.required("client_id", "the name that the gateway has at the issuer")?.name()
        let secret = section.required("client_secret_file", "the path of a file with the secret of client_id").flatMap {
            TrustFile(context: context).secret($0)
        }
        let cache = duration(
            section.optional("cache"), in: Self.cacheRange, IntrospectionEndpoint.standardCacheLifetime)
        let timeout = duration(
            section.optional("timeout"), in: Self.timeoutRange, IntrospectionEndpoint.standardTimeout)
        let authority = readAuthority(section.optional("ca_file"))
        guard let url, let client, let secret, let cache, let timeout, let authority else { return nil }
        return IntrospectionEndpoint(
            url: url, clientID: client, clientSecret: ClientSecret(secret), cacheLifetime: cache, timeout: timeout,
            authorityFile: authority.path)
    }

    private func duration(
        _ reader: DocumentReader?, in range: ClosedRange<Interval>, _ standard: Interval
    ) -> Interval? {
        guard let reader else { return standard }
        return reader.duration(in: range)
    }
}
