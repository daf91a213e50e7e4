import Bytes

/// Reads the section `upstreams`.
struct UpstreamSection {
    private static let keys = [
        "name", "targets", "protocol", "tls", "balance", "health", "retries", "circuit_breaker", "timeouts",
        "proxy_protocol", "dns",
    ]
    private enum ProxyHeader: String, CaseIterable { case off, v2 }

    let context: LoadContext
    /// The upstreams' names.
    private(set) var names = NameRegister(kind: "upstream")

    init(context: LoadContext) {
        self.context = context
    }

    /// The upstreams that could be read; faults tell of the others.
    mutating func read(_ reader: DocumentReader?) -> [UpstreamConfiguration] {
        var upstreams: [UpstreamConfiguration] = []
        for item in reader?.items() ?? [] {
            if let upstream = readUpstream(item) { upstreams.append(upstream) }
        }
        return upstreams
    }

    private mutating func readUpstream(_ reader: DocumentReader) -> UpstreamConfiguration? {
        guard let section = reader.section(Self.keys) else { return nil }
        let name = section.required("name", "a name for routes to use")?.name(takenIn: &names)
        let targets = readTargets(section.required("targets", "where it is, such as [\"http://127.0.0.1:9000\"]"))
        let speaks = readProtocol(section.optional("protocol"), targets: targets)
        let tls = readTLS(section, targets: targets)
        let rest = UpstreamSettingsSection(section: section)
        guard let name, let targets else { return nil }
        var upstream = UpstreamConfiguration(name: name, targets: targets)
        upstream.speaks = speaks
        upstream.tls = tls
        rest.read(into: &upstream)
        upstream.sendsProxyHeader = section.optional("proxy_protocol")?.choice(ProxyHeader.self) == .v2
        return upstream
    }

    // MARK: targets

    /// Reads the list of targets; one upstream has one kind of them.
    ///
    /// Were some of them in plain text, whoever is on the way to those could read what TLS hides on the way to the others.
    private func readTargets(_ reader: DocumentReader?) -> [UpstreamTarget]? {
        guard let reader, let targets = reader.distinct(atLeastOne: "target", readTarget) else { return nil }
        let schemes = Set(targets.map(\.scheme))
        if schemes.contains("https"), schemes.count > 1 {
            reader.refuse("some targets are https and others are not; make two upstreams of them")
            return nil
        }
        if schemes.isSuperset(of: ["http", "h2c"]) {
            reader.refuse("some targets are http and others h2c; write http, and protocol: h2 for those that speak it")
            return nil
        }
        return targets
    }

    private func readTarget(_ reader: DocumentReader) -> UpstreamTarget? {
        let expected = "http://, https:// or h2c:// with host:port and without a path, or unix:PATH"
        let target = reader.value(expected: expected, UpstreamTarget.init)
        guard let target = target?.resolved(in: context.place) else { return nil }
        guard UpstreamTarget(target.description) != nil else {
            reader.refuse("the path of the socket is longer than 107 bytes from the root; shorten it")
            return nil
        }
        return target
    }

    private func readProtocol(_ reader: DocumentReader?, targets: [UpstreamTarget]?) -> UpstreamProtocol {
        let isH2C = targets?.contains { $0.scheme == "h2c" } ?? false
        guard let reader else { return isH2C ? .h2 : .http11 }
        guard let speaks = reader.choice(UpstreamProtocol.self) else { return .http11 }
        if isH2C, speaks == .http11 {
            reader.refuse("h2c targets speak h2; write h2, or http:// in the targets")
        }
        return speaks
    }

    /// Reads `tls`, which `https` targets must have: there is no trust by default.
    private func readTLS(_ section: SectionReader, targets: [UpstreamTarget]?) -> UpstreamTLS? {
        let reader = section.optional("tls")
        guard targets?.contains(where: \.isSecure) ?? (reader != nil) else {
            reader?.refuse("no target is https, so nothing of this would be checked; write https:// or remove the key")
            return nil
        }
        return section.required("tls", "ca_file under it").flatMap(UpstreamTLSSection(context: context).read)
    }
}
