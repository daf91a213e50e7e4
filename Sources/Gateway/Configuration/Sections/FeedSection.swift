import Bytes
import Cryptography
import Revocation
import TLS
import Tokens

/// Reads one feed of the section `revocation`.
struct FeedSection {
    private static let keys = ["name", "type", "issuer", "jwks_file", "algorithms", "maximum_staleness", "when_stale"]
    private static let statusListKeys = ["url", "refresh_interval", "ca_file"]
    private static let pushKeys = ["listener", "path", "audience", "authorization_file", "heartbeat"]
    private static let pollKeys = ["url", "audience", "authorization_file", "poll_interval", "long_poll", "ca_file"]
    private static let intervalRange = Interval.seconds(1)...Interval.seconds(24 * 3600)

    private enum Kind: String, CaseIterable { case statusList = "status_list", push = "set_push", poll = "set_poll" }

    let context: LoadContext
    let issuers: [TokenIssuer]
    let issuerNames: NameRegister
    let listeners: [ListenerConfiguration]
    let staleness: FeedStaleness

    /// The feed.
    ///
    /// - Parameters:
    ///   - names: those of other feeds.
    ///   - endpoints: where other feeds are delivered, as `LISTENER PATH`, with their lines.
    func read(
        _ reader: DocumentReader, names: inout NameRegister, endpoints: inout [String: Int]
    ) -> FeedConfiguration? {
        guard let kind = readKind(reader), let section = reader.section(Self.keys + Self.keys(of: kind)) else {
            return nil
        }
        let name = readName(section.required("name", "a name for logs and revocations"), &names)
        let staleness = FeedStaleness.read(section, standard: staleness)
        let issuerReader = section.required("issuer", "the iss of what it brings, such as https://broker.example")
        let issuer = issuerReader?.text()
        let isKnown = checkIssuer(issuer, issuerReader, kind)
        let keys = isKnown ? readKeys(section, issuer) : nil
        guard let staleness else { return nil }
        let place: FeedConfiguration.Kind?
        switch kind {
        case .statusList: place = readStatusList(section, staleness.maximum).map { .statusList($0) }
        case .push: place = readPush(section, &endpoints).map { .push($0) }
        case .poll: place = readPoll(section, staleness.maximum).map { .poll($0) }
        }
        guard let name, let issuer, let keys, let place else { return nil }
        return FeedConfiguration(
            name: name, kind: place, issuer: issuer, keys: keys, maximumStaleness: staleness.maximum,
            deniesWhenStale: staleness.denies)
    }

    private static func keys(of kind: Kind) -> [String] {
        switch kind {
        case .statusList: statusListKeys
        case .push: pushKeys
        case .poll: pollKeys
        }
    }

    /// What kind of feed it is: that says which keys it may have.
    private func readKind(_ reader: DocumentReader) -> Kind? {
        guard let entry = reader.node.entry("type") else {
            // Whatever else is wrong with it is said when its kind is known.
            reader.refuse("the key type is missing; write type: status_list, set_push or set_poll")
            return nil
        }
        let type = DocumentReader(
            node: entry.value, path: "\(reader.path).type", line: entry.line, faults: reader.faults)
        if type.node.content == .scalar("redis") {
            type.refuse("redis is not built yet in this version; write status_list, set_push or set_poll")
            return nil
        }
        return type.choice(Kind.self)
    }

    /// A name that may stand behind `feed:` in a record and in a query.
    private func readName(_ reader: DocumentReader?, _ names: inout NameRegister) -> String? {
        guard let reader else { return nil }
        let name = reader.value(expected: "a name of at most 64 letters, digits, dots, hyphens and underscores") {
            text in
            let isName = text.utf8.count <= 64 && text.utf8.allSatisfy(Self.isNameCharacter)
            return isName ? text : nil
        }
        if let name { names.take(name, reader) }
        return name
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // MARK: Who signs it

    /// Status lists are looked at for tokens: of an issuer that is configured.
    private func checkIssuer(_ issuer: String?, _ reader: DocumentReader?, _ kind: Kind) -> Bool {
        guard let issuer, let reader else { return false }
        return kind == .statusList ? issuerNames.knows(issuer, reader) : true
    }

    private func readKeys(_ section: SectionReader, _ issuer: String?) -> FeedKeys? {
        guard let file = section.optional("jwks_file") else { return readIssuersKeys(section, issuer) }
        let algorithms = section.required("algorithms", "the signatures to accept, such as [ES256]")?
            .distinct(atLeastOne: "algorithm") { $0.choice(SignatureAlgorithm.self) }
        guard let bytes = TrustFile(context: context).bytes(file) else { return nil }
        do throws(KeySetError) {
            let set = try KeySet(jwks: bytes.span)
            return algorithms.map { .own(set, algorithms: Set($0)) }
        } catch {
            file.refuse("the file cannot be used (\(error)); write the feed's public keys as a JWK set")
            return nil
        }
    }

    /// Without keys of its own a feed is verified with those of the issuer that it names.
    private func readIssuersKeys(_ section: SectionReader, _ issuer: String?) -> FeedKeys? {
        section.optional("algorithms")?.refuse("this is for keys from a jwks_file only; remove it")
        guard let issuer else { return nil }
        guard issuerNames.names.contains(issuer) else {
            _ = section.required("jwks_file", "the path of the feed's keys, since no issuer of that name is configured")
            return nil
        }
        // An issuer that could not be read has its own fault.
        let found = issuers.first { $0.issuer == issuer }
        if case .introspection? = found?.keySource {
            _ = section.required("jwks_file", "the path of the feed's keys, since the issuer's are not known here")
            return nil
        }
        return .issuer
    }

    // MARK: Where it is heard

    private func readStatusList(_ section: SectionReader, _ staleness: Interval) -> StatusListLocation? {
        let reader = section.required("url", "the URI of the list, or the beginning of URIs and *")
        let expected = "an https URL, or the beginning of some up to a / and *, such as https://broker.example/lists/*"
        let pattern = reader?.value(expected: expected) { text -> StatusListPattern? in
            guard let pattern = StatusListPattern(text), let url = EndpointURL(text), !url.isPlain else { return nil }
            return pattern
        }
        let refresh = readInterval("refresh_interval", section, standard: .seconds(15), below: staleness)
        let authority = readAuthority(section.optional("ca_file"))
        guard let pattern, let refresh, let authority else { return nil }
        return StatusListLocation(pattern: pattern, refreshInterval: refresh, authorityFile: authority.path)
    }

    private func readPush(_ section: SectionReader, _ endpoints: inout [String: Int]) -> PushEndpoint? {
        section.optional("maximum_staleness")?.refuse(
            "a feed that is delivered is stale when its heartbeat fails; write heartbeat in its place")
        let listener = readListener(section.required("listener", "the name of the listener that has the endpoint"))
        let pathReader = section.required("path", "the path of the endpoint, such as /events")
        let path = pathReader?.value(expected: "a path of unreserved characters, such as /events", Self.path)
        let audience = section.required("audience", "what aud of its events must name")?.text()
        let authorization = readAuthorization(section.optional("authorization_file"))
        if section.optional("authorization_file") == nil, let listener,
            listeners.contains(where: { $0.name == listener && $0.clientCertificate != .required })
        {
            pathReader?.warn("whoever reaches the listener can deliver here and keep it busy; add authorization_file")
        }
        let heartbeat =
            section.optional("heartbeat").map { $0.duration(in: Self.intervalRange).map(Optional.some) } ?? .some(nil)
        if section.optional("heartbeat") == nil, section.optional("when_stale") != nil {
            section.optional("when_stale")?.refuse("without heartbeat the feed is never stale; add one, or remove this")
        }
        if let listener, let path, let pathReader {
            let place = "\(listener) \(path)"
            if let line = endpoints[place] {
                pathReader.refuse("the feed on line \(line) has this endpoint; give each its own")
            }
            endpoints[place] = pathReader.line
        }
        guard let listener, let path, let audience, let authorization, let heartbeat else { return nil }
        return PushEndpoint(
            listener: listener, path: path, audience: audience, authorization: authorization.secret,
            heartbeat: heartbeat)
    }

    private func readPoll(_ section: SectionReader, _ staleness: Interval) -> PollEndpoint? {
        let url = section.required("url", "where its events are asked for")?.value(expected: "an https URL") { text in
            EndpointURL(text).flatMap { $0.isPlain ? nil : $0.text }
        }
        let audience = section.required("audience", "what aud of its events must name")?.text()
        let authorization = readAuthorization(section.optional("authorization_file"))
        let interval = readInterval("poll_interval", section, standard: .seconds(5), below: staleness)
        var longPoll: Interval??
        longPoll = .some(nil)
        if let reader = section.optional("long_poll") {
            longPoll = readInterval("long_poll", section, standard: .zero, below: staleness).map(Optional.some)
            if let longPoll, let longPoll,
                longPoll.nanoseconds + PollEndpoint.answerTime.nanoseconds > staleness.nanoseconds
            {
                reader.refuse(
                    "the feed would be stale before it has to answer; make it 5s shorter than maximum_staleness, or more"
                )
            }
        }
        let authority = readAuthority(section.optional("ca_file"))
        guard let url, let audience, let authorization, let interval, let longPoll, let authority else { return nil }
        return PollEndpoint(
            url: url, audience: audience, authorization: authorization.secret, pollInterval: interval,
            longPoll: longPoll, authorityFile: authority.path)
    }

    // MARK: Parts

    private static func path(_ text: String) -> String? {
        guard text.hasPrefix("/"), text.utf8.count <= 1024 else { return nil }
        let segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let isPath = segments.allSatisfy { segment in
            !segment.isEmpty && segment.utf8.allSatisfy { isNameCharacter($0) || $0 == UInt8(ascii: "~") }
                && !segment.utf8.allSatisfy { $0 == UInt8(ascii: ".") }
        }
        return isPath ? text : nil
    }

    private func readListener(_ reader: DocumentReader?) -> String? {
        guard let reader, let name = reader.text() else { return nil }
        // Where a listener could not be read, its own fault says so.
        guard let listener = listeners.first(where: { $0.name == name }) else {
            let hint = NearestName.of(name, among: listeners.map(\.name)).map { "; did you mean \($0)?" } ?? ""
            reader.refuse("there is no listener \(DocumentReader.quoted(name))\(hint)")
            return nil
        }
        if case .tcp = listener.mode {
            reader.refuse("the listener passes connections on and reads no requests; name one of mode http")
            return nil
        }
        return name
    }

    /// An interval that leaves room for one more before what was heard is too old.
    private func readInterval(
        _ key: String, _ section: SectionReader, standard: Interval, below staleness: Interval
    ) -> Interval? {
        let half = Interval(nanoseconds: staleness.nanoseconds / 2)
        guard let reader = section.optional(key) else { return min(standard, half) }
        guard let interval = reader.duration(in: Self.intervalRange) else { return nil }
        guard interval < staleness else {
            reader.refuse("the feed would be stale before it is asked again; make it shorter than maximum_staleness")
            return nil
        }
        return interval
    }

    /// The value of a field, or `nil` inside the result where the key is absent; nothing where it is wrong.
    private func readAuthorization(_ reader: DocumentReader?) -> (secret: ClientSecret?, Void)? {
        guard let reader else { return (nil, ()) }
        return TrustFile(context: context).secret(reader).map { (ClientSecret($0), ()) }
    }

    /// The path of a PEM file with certificates, or `nil` inside the result where the key is absent; nothing where it is wrong.
    private func readAuthority(_ reader: DocumentReader?) -> (path: String?, Void)? {
        guard let reader else { return (nil, ()) }
        guard TrustFile(context: context).certificates(reader) != nil, let path = reader.text() else { return nil }
        return (context.place.resolve(path), ())
    }
}
