import Bytes
import Cryptography
import Tokens

/// Reads the section `issuers`.
struct IssuerSection {
    private static let keys =
        [
            "issuer", "profile", "audiences", "algorithms", "clock_leeway", "maximum_token_lifetime", "claims",
            "trust_domains",
        ] + KeySourceSection.keys
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
        let profile = section.required("profile", "oauth, or what else its tokens are")?.choice(TokenProfile.self)
        let audiences = readAudiences(section, profile)
        let algorithms = readAlgorithms(section, profile)
        let leeway = duration(
            section.optional("clock_leeway"), in: .zero...Self.greatestLeeway,
            profile == .agentwrit ? .zero : Self.defaultLeeway)
        let lifetime = duration(
            section.optional("maximum_token_lifetime"), in: .seconds(1)...Self.greatestLifetime, Self.defaultLifetime)
        let claims = readClaimNames(section.optional("claims"))
        let trustDomains = readTrustDomains(section.optional("trust_domains"), profile)
        checkIntrospection(section.optional("introspection"), profile)
        let source = KeySourceSection(context: context, section: section).read(for: algorithms)
        guard let issuer, let profile, let audiences, let algorithms, let leeway, let lifetime, let claims,
            let trustDomains, let source
        else { return nil }
        return TokenIssuer(
            issuer: issuer, profile: profile, audiences: audiences, algorithms: Set(algorithms), clockLeeway: leeway,
            maximumTokenLifetime: lifetime, claimNames: claims, trustDomains: trustDomains.names, keys: source.keys,
            keySource: source.source)
    }

    /// What `aud` must name; a workload's token has none, and needs none here.
    private func readAudiences(_ section: SectionReader, _ profile: TokenProfile?) -> [String]? {
        guard let profile, profile.isWorkload, section.optional("audiences") == nil else {
            return section.required("audiences", "what aud of its tokens must name")?
                .distinct(atLeastOne: "audience") { $0.text() }
        }
        return []
    }

    /// The algorithms; none where the issuer is asked about its tokens, since no signature is verified then.
    private func readAlgorithms(_ section: SectionReader, _ profile: TokenProfile?) -> [SignatureAlgorithm]? {
        if section.optional("introspection") != nil {
            section.optional("algorithms")?.refuse("the issuer is asked, and no signature is verified; remove the key")
            return []
        }
        return section.required("algorithms", "the signatures to accept, such as [ES256]")?
            .distinct(atLeastOne: "algorithm") { reader in
                guard let algorithm = reader.choice(SignatureAlgorithm.self) else { return nil }
                return check(algorithm, profile, reader) ? algorithm : nil
            }
    }

    private func check(
        _ algorithm: SignatureAlgorithm, _ profile: TokenProfile?, _ reader: DocumentReader
    ) -> Bool {
        let isEdDSA = algorithm == .edDSA || algorithm == .ed25519
        switch profile {
        case .agentwrit where !isEdDSA:
            reader.refuse("an AgentWrit broker signs with EdDSA only; write EdDSA or Ed25519")
        case .witSVID where isEdDSA:
            reader.refuse("a WIT-SVID is never signed with EdDSA; remove it, or use the profile wimse")
        default: return true
        }
        return false
    }

    private func checkIntrospection(_ reader: DocumentReader?, _ profile: TokenProfile?) {
        guard let reader, let profile, profile != .oauth else { return }
        reader.refuse(
            "tokens of the profile \(profile.rawValue) are verified by their signature; write jwks_file or jwks_url")
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
    private func readTrustDomains(
        _ reader: DocumentReader?, _ profile: TokenProfile?
    ) -> (names: [String]?, Void)? {
        guard let reader else { return (nil, ()) }
        guard profile != .aat else {
            reader.refuse("attenuating tokens name keys and no workloads; remove the key")
            return nil
        }
        return reader.distinct(atLeastOne: "trust domain") { $0.trustDomain() }.map { ($0, ()) }
    }
}
