import Bytes
import Cryptography
import Identity
import Limits
import ProxyProtocol
import TLS

/// Reads the section `listeners`.
struct ListenerSection {
    private static let keys = [
        "name", "address", "mode", "origins", "protocols", "tls", "clients", "upstream", "allow", "proxy_protocol",
        "limits",
    ]

    let context: LoadContext
    /// Whether clients are refused while the revocation lists about them have expired.
    let listsDenyWhenStale: Bool
    private var names = NameRegister(kind: "listener")
    private var addresses: [ListenAddress: Int] = [:]
    private var upstreams: [(name: String, reader: DocumentReader)] = []

    init(context: LoadContext, listsDenyWhenStale: Bool = true) {
        self.context = context
        self.listsDenyWhenStale = listsDenyWhenStale
    }

    /// The listeners that could be read; faults tell of the others.
    mutating func read(_ reader: DocumentReader?) -> [ListenerConfiguration] {
        var listeners: [ListenerConfiguration] = []
        for item in reader?.items(atLeastOne: "listener") ?? [] {
            if let listener = readListener(item) { listeners.append(listener) }
        }
        return listeners
    }

    /// Takes an address for a listening socket; two sockets cannot have one.
    mutating func take(_ address: ListenAddress, _ reader: DocumentReader) {
        if let line = addresses[address] {
            reader.refuse("line \(line) listens on this address already; give each its own")
        } else {
            addresses[address] = reader.line
        }
    }

    /// Checks the upstreams that listeners name, once they are known.
    func checkUpstreams(in register: NameRegister) {
        for upstream in upstreams { _ = register.knows(upstream.name, upstream.reader) }
    }

    private mutating func readListener(_ reader: DocumentReader) -> ListenerConfiguration? {
        guard let section = reader.section(Self.keys) else { return nil }
        let name = section.required("name", "a name for logs and audit records")?.name(takenIn: &names)
        let address = readAddress(section.required("address", "where to listen, such as \"0.0.0.0:8443\""))
        let modeReading = ListenerModeSection.read(section)
        let origins = modeReading?.isTCP == true ? [] : readOrigins(section)
        let protocols = modeReading?.isTCP == true ? [] : readProtocols(section.optional("protocols"))
        let tls = ListenerTLSSection(context: context)
            .read(section.required("tls", "certificates and keys under it"), origins: origins ?? [])
        let clientsReader = section.required("clients", "trust_domains under it")
        let clients = readClients(clientsReader)
        let mode = readMode(modeReading, clients, clientsReader)
        let proxyPeers = ListenerModeSection.proxyPeers(section.optional("proxy_protocol"), address: address)
        let limits =
            section.optional("limits").map { RateLimitSection.read($0, of: .listener, named: name) } ?? .some(nil)
        guard let name, let address, let origins, let protocols, let tls, let clients, let mode, let proxyPeers,
            let limits
        else { return nil }
        return ListenerConfiguration(
            name: name, address: address, origins: origins, protocols: protocols, certificates: tls.certificates,
            minimumVersion: tls.minimumVersion, resumption: tls.resumption, keyLogFile: tls.keyLogFile,
            clientCertificate: clients.demand, identity: clients.identity, trustDomains: clients.trustDomains,
            mode: mode, proxyPeers: proxyPeers, limits: limits)
    }

    private mutating func readMode(
        _ reading: ListenerModeSection.Reading?, _ clients: Clients?, _ clientsReader: DocumentReader?
    ) -> ListenerMode? {
        guard let reading else { return nil }
        guard reading.isTCP else { return reading.isClean ? .http : nil }
        guard let clients, let clientsReader else { return nil }
        let mode = ListenerModeSection.rule(
            reading, certificate: clients.demand, identity: clients.identity,
            trustDomains: clients.trustDomains.map(\.name), clients: clientsReader)
        if case .tcp(let upstream, _) = mode, let reader = reading.upstream { upstreams.append((upstream, reader)) }
        return reading.isClean ? mode : nil
    }

    private func readOrigins(_ section: SectionReader) -> [Origin]? {
        section.required("origins", "what clients call it, such as [\"https://api.example\"]")?
            .distinct(atLeastOne: "origin") { item in
                item.value(expected: "https://host or https://host:port, without a path", Origin.init)
            }
    }

    private mutating func readAddress(_ reader: DocumentReader?) -> ListenAddress? {
        guard let reader, let address = reader.address(in: context.place) else { return nil }
        take(address, reader)
        return address
    }

    private func readProtocols(_ reader: DocumentReader?) -> [ApplicationProtocol]? {
        guard let reader else { return ApplicationProtocol.allCases }
        return reader.distinct(atLeastOne: "protocol") { $0.choice(ApplicationProtocol.self) }
    }

    // MARK: clients

    private struct Clients {
        let demand: ClientCertificateDemand
        let identity: IdentityMode
        let trustDomains: [TrustDomainConfiguration]
    }

    private func readClients(_ reader: DocumentReader?) -> Clients? {
        guard let keys = reader?.section(["certificate", "identity", "trust_domains"]) else { return nil }
        let demand = keys.optional("certificate").map { $0.choice(ClientCertificateDemand.self) } ?? .required
        let identity =
            keys.optional("identity").map { $0.value(expected: "spiffe or any") { IdentityMode(rawValue: $0) } }
            ?? .spiffe
        let list = keys.required("trust_domains", "a list of name and bundle_file")
        guard let items = list?.items(atLeastOne: "trust domain") else { return nil }
        var section = TrustDomainSection(
            context: context, identity: identity ?? .any, deniesWhenStale: listsDenyWhenStale)
        let trustDomains = items.compactMap { section.read($0) }
        guard let demand, let identity, trustDomains.count == items.count else { return nil }
        return Clients(demand: demand, identity: identity, trustDomains: trustDomains)
    }
}
