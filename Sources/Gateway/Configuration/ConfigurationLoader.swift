public import Bytes
import Cryptography
import Glibc

extension GatewayConfiguration {
    /// Reads `file` and every file it names.
    ///
    /// - Parameters:
    ///   - file: the path of the YAML document; relative paths in it start beside it.
    ///   - environment: variables of the process; `SALLYPORT_WORKERS` overrides `workers`.
    ///   - now: the moment that validity periods are judged at; by default the system's.
    /// - Throws: everything that is wrong, at once.
    public static func load(
        file: String, environment: [String: String], now: UnixTime? = nil
    ) throws(ConfigurationFaults) -> GatewayConfiguration {
        let faults = FaultCollector(file: file)
        let context = LoadContext(faults: faults, place: FilePlace(beside: file), now: now ?? .system)
        let configuration = ConfigurationLoader(context: context, environment: environment).load(file)
        guard faults.isEmpty, let configuration else { throw ConfigurationFaults(faults) }
        return configuration
    }
}

/// Reads one configuration: the document first, then each section, then what connects them.
private struct ConfigurationLoader {
    private static let keys = [
        "workers", "listeners", "issuers", "possession", "upstreams", "routes", "transaction_tokens", "revocation",
        "audit", "admin", "observability", "limits", "timeouts",
    ]

    let context: LoadContext
    let environment: [String: String]

    private var faults: FaultCollector { context.faults }

    func load(_ path: String) -> GatewayConfiguration? {
        guard let bytes = readFile(path), let document = parse(bytes) else { return nil }
        UnbuiltFeature.refuseAll(in: document, faults: faults)
        guard let root = DocumentReader(document: document, faults: faults).section(Self.keys) else { return nil }
        return read(root, digest: digest(bytes))
    }

    private func read(_ root: SectionReader, digest: Digest256?) -> GatewayConfiguration? {
        var listenerSection = ListenerSection(
            context: context, listsDenyWhenStale: TrustDomainSection.deniesWhenStale(root))
        let listeners = listenerSection.read(root.required("listeners", "at least one address to listen on"))
        var issuerSection = IssuerSection(context: context)
        let issuers = issuerSection.read(root.optional("issuers"))
        var upstreamSection = UpstreamSection(context: context)
        let upstreams = upstreamSection.read(root.optional("upstreams"))
        listenerSection.checkUpstreams(in: upstreamSection.names)
        var routeSection = RouteSection(
            issuers: issuerSection.names, upstreams: upstreamSection.names,
            hosts: Set(listeners.flatMap(\.origins).map(\.host)),
            hasTransactionTokens: root.optional("transaction_tokens") != nil)
        let routes = routeSection.read(root.optional("routes"))
        routeSection.checkUpgrades(by: upstreams)
        let possession = PossessionSection.read(root.optional("possession"))
        let transactionTokens = TransactionTokenSection.read(root.optional("transaction_tokens"), context: context)
        let revocation = RevocationSection(
            context: context, issuers: issuers, issuerNames: issuerSection.names, listeners: listeners
        ).read(root.optional("revocation"), isNeeded: root.optional("admin") != nil)
        let audit = AuditSection.read(root.required("audit", "directory under it"), context: context)
        let observability = readObservability(root.optional("observability"), &listenerSection)
        let admin = root.optional("admin").flatMap { reader in
            AdminSection(context: context).read(reader) { listenerSection.take($0, $1) }
        }
        let workers = readWorkers(root.optional("workers"))
        let limits = LimitsSection.read(root.optional("limits"))
        let timeouts = TimeoutsSection.read(root.optional("timeouts"))
        if root.optional("routes") == nil {
            faults.warn(line: nil, keyPath: "routes", "there are no routes; every request will be answered with 404")
        }
        guard faults.isEmpty, let revocation, let audit, let digest else { return nil }
        return GatewayConfiguration(
            workers: workers, listeners: listeners, issuers: RetainedClaims.asked(by: routes, of: issuers),
            routes: routes, possession: possession, upstreams: upstreams, transactionTokens: transactionTokens,
            revocation: revocation.configuration, audit: audit, observability: observability, admin: admin,
            limits: limits, timeouts: timeouts, digest: digest,
            warnings: faults.warnings.map(\.description))
    }

    private func readFile(_ path: String) -> [UInt8]? {
        do throws(NamedFile.Failure) {
            return try NamedFile(path: path).bytes
        } catch {
            faults.refuse(line: nil, keyPath: "", "the file \(error.reason)")
            return nil
        }
    }

    private func parse(_ bytes: [UInt8]) -> DocumentNode? {
        guard let text = String(validating: bytes.span) else {
            faults.refuse(line: nil, keyPath: "", "the file is not UTF-8 text; save it as such")
            return nil
        }
        return DocumentParser(faults: faults).parse(text)
    }

    private func digest(_ bytes: [UInt8]) -> Digest256? {
        do throws(EngineError) {
            return try CryptographicEngine().sha256(bytes.span)
        } catch {
            faults.refuse(
                line: nil, keyPath: "", "the cryptographic library does not work here; check its installation")
            return nil
        }
    }

    private func readWorkers(_ reader: DocumentReader?) -> Int? {
        let range = 1...1024
        let written = reader?.number(in: range)
        let variable = "SALLYPORT_WORKERS"
        guard let text = environment[variable], !text.isEmpty else { return written }
        let number = DecimalText.number(text).flatMap { Int(exactly: $0) }
        guard let number, range.contains(number) else {
            faults.refuse(
                line: nil, keyPath: variable,
                "\(DocumentReader.quoted(text)) is not understood; set a whole number from 1 to 1024, or unset it")
            return nil
        }
        return number
    }

    private func readObservability(_ reader: DocumentReader?, _ listeners: inout ListenerSection) -> ListenAddress? {
        guard let section = reader?.section(["address"]) else { return nil }
        guard let reader = section.required("address", "where to serve /healthz and /readyz"),
            let address = reader.address(in: context.place)
        else { return nil }
        listeners.take(address, reader)
        if !address.isLocal {
            reader.warn("anyone who reaches this address can read it; use a loopback address or a Unix socket")
        }
        return address
    }
}

extension UnixTime {
    /// The system's clock.
    fileprivate static var system: UnixTime {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UnixTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
