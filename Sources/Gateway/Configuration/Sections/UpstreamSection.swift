/// Reads the section `upstreams`.
struct UpstreamSection {
    private enum WireProtocol: String, CaseIterable { case http11 = "http/1.1", h2 }

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
        guard let section = reader.section(["name", "targets", "protocol", "tls"]) else { return nil }
        let name = section.required("name", "a name for routes to use")?.name(takenIn: &names)
        // Only HTTP/1.1 is left of the choice until the other is built.
        _ = section.optional("protocol")?.choice(WireProtocol.self)
        let targets = section.required("targets", "where it is, such as [\"http://127.0.0.1:9000\"]")?
            .distinct(atLeastOne: "target", readTarget)
        guard let name, let targets else { return nil }
        return UpstreamConfiguration(name: name, targets: targets)
    }

    private func readTarget(_ reader: DocumentReader) -> UpstreamTarget? {
        let target = reader.value(expected: "http://host:port without a path, or unix:PATH", UpstreamTarget.init)
        guard let target = target?.resolved(in: context.place) else { return nil }
        guard UpstreamTarget(target.description) != nil else {
            reader.refuse("the path of the socket is longer than 107 bytes from the root; shorten it")
            return nil
        }
        return target
    }
}
