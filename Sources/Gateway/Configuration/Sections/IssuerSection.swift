import Bytes
import Cryptography
import Tokens

/// Reads the section `issuers`.
struct IssuerSection {
    private static let keys = [
        "issuer", "profile", "audiences", "jwks_file", "jwks_url", "refresh_interval", "ca_file", "algorithms",
        "clock_leeway", "maximum_token_lifetime", "claims", "trust_domains",
    ]
    private static let defaultLeeway = Interval.seconds(30)
    private static let greatestLeeway = Interval.seconds(300)
    private static let defaultLifetime = Interval.seconds(3600)
    private static let greatestLifetime = Interval.seconds(366 * 24 * 3600)

    let context: LoadContext
    /// The issuers' names.
    private(set) var names = NameRegister(kind: "issuer")

    init(context: LoadContext) {
        self.context = context
    }

    /// The issuers that could be read; faults tell of the others.
    mutating func read(_ reader: DocumentReader?) -> [TokenIssuer] {
        var issuers: [TokenIssuer] = []
        for item in reader?.items() ?? [] {
            if let issuer = readIssuer(item) { issuers.append(issuer) }
        }
        return issuers
    }

    private mutating func readIssuer(_ reader: DocumentReader) -> TokenIssuer? {
        guard let section = reader.section(Self.keys) else { return nil }
        let issuer = readName(section.required("issuer", "the iss of its tokens, such as https://broker.example"))
        let profile = section.required("profile", "oauth")?.choice(TokenProfile.self)
        let audiences = section.required("audiences", "what aud of its tokens must name")?
            .distinct(atLeastOne: "audience") { $0.text() }
        let algorithms = section.required("algorithms", "the signatures to accept, such as [ES256]")?
            .distinct(atLeastOne: "algorithm") { $0.choice(SignatureAlgorithm.self) }
        let leeway = duration(section.optional("clock_leeway"), in: .zero...Self.greatestLeeway, Self.defaultLeeway)
        let lifetime = duration(
            section.optional("maximum_token_lifetime"), in: .seconds(1)...Self.greatestLifetime, Self.defaultLifetime)
        let claims = readClaimNames(section.optional("claims"))
        let trustDomains = readTrustDomains(section.optional("trust_domains"))
        let keys = section.required("jwks_file", "the path of the issuer's JWK set").flatMap {
            readKeys($0, for: algorithms)
        }
        guard let issuer, let profile, let audiences, let algorithms, let leeway, let lifetime, let claims,
            let trustDomains, let keys
        else { return nil }
        return TokenIssuer(
            issuer: issuer, profile: profile, audiences: audiences, algorithms: Set(algorithms), clockLeeway: leeway,
            maximumTokenLifetime: lifetime, claimNames: claims, trustDomains: trustDomains.names, keys: keys)
    }

    private mutating func readName(_ reader: DocumentReader?) -> String? {
        guard let reader else { return nil }
        let name = reader.value(expected: "the iss of its tokens: text without spaces") { text in
            text.unicodeScalars.contains { $0.value <= 0x20 || $0.value == 0x7F } ? nil : text
        }
        if let name { names.take(name, reader) }
        return name
    }

    private func duration(
        _ reader: DocumentReader?, in range: ClosedRange<Interval>, _ standard: Interval
    ) -> Interval? {
        guard let reader else { return standard }
        return reader.duration(in: range)
    }

    private func readClaimNames(_ reader: DocumentReader?) -> ClaimNames? {
        guard let reader else { return .standard }
        guard let section = reader.section(["sponsor", "task", "orchestration"]) else { return nil }
        func names(_ key: String, _ standard: [String]) -> [String]? {
            guard let reader = section.optional(key) else { return standard }
            return reader.text().map { [$0] }
        }
        let sponsor = names("sponsor", ClaimNames.standard.sponsor)
        let task = names("task", ClaimNames.standard.task)
        let orchestration = names("orchestration", ClaimNames.standard.orchestration)
        guard let sponsor, let task, let orchestration else { return nil }
        return ClaimNames(sponsor: sponsor, task: task, orchestration: orchestration)
    }

    /// The names, or `nil` inside the result where the key is absent; nothing where they are wrong.
    private func readTrustDomains(_ reader: DocumentReader?) -> (names: [String]?, Void)? {
        guard let reader else { return (nil, ()) }
        return reader.distinct(atLeastOne: "trust domain") { $0.trustDomain() }.map { ($0, ()) }
    }

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
}
