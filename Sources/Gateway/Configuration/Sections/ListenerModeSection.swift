import Identity
import Policy
import ProxyProtocol
import TLS

/// Reads what a listener lets through: the keys `mode`, `upstream`, `allow` and `proxy_protocol`.
struct ListenerModeSection {
    private enum Mode: String, CaseIterable { case http, tcp }

    /// The keys that a listener of the other mode may not have, and why.
    private static let keysOfHTTP = [
        "origins": "bytes that pass name no origin", "protocols": "no protocol is agreed where bytes pass",
    ]
    private static let keysOfTCP = [
        "upstream": "a request's route names the upstream", "allow": "a request's route says who may call",
    ]

    /// What the document says of the mode, before it is known who the clients are.
    struct Reading {
        let isTCP: Bool
        /// Whether no key of the other mode is there.
        let isClean: Bool
        let upstream: DocumentReader?
        let allow: DocumentReader?
    }

    /// The mode, or nothing where it is not understood.
    static func read(_ section: SectionReader) -> Reading? {
        let mode = section.optional("mode").map { $0.choice(Mode.self) } ?? .http
        guard let mode else { return nil }
        let foreign = mode == .tcp ? keysOfHTTP : keysOfTCP
        var isClean = true
        for (key, reason) in foreign.sorted(by: { $0.key < $1.key }) {
            guard let reader = section.optional(key) else { continue }
            reader.refuse("\(reason); remove the key, or change mode")
            isClean = false
        }
        guard mode == .tcp else { return Reading(isTCP: false, isClean: isClean, upstream: nil, allow: nil) }
        return Reading(
            isTCP: true, isClean: isClean,
            upstream: section.required("upstream", "the name of the upstream that the bytes go to"),
            allow: section.required("allow", "the agents that may connect, such as [\"spiffe://example.org/agent/*\"]"))
    }

    /// What a `tcp` listener lets through.
    ///
    /// Whoever connects is known by the certificate alone, so there must be one, and it must name an agent.
    static func rule(
        _ reading: Reading, certificate: ClientCertificateDemand, identity: IdentityMode, trustDomains: [String],
        clients: DocumentReader
    ) -> ListenerMode? {
        let allowed = reading.allow?.distinct(atLeastOne: "agent") { readPattern($0, trustDomains) }
        let upstream = reading.upstream?.text()
        guard certificate == .required, identity == .spiffe else {
            clients.refuse(
                "a tcp listener knows clients by their certificates alone; write certificate: required and identity: spiffe"
            )
            return nil
        }
        guard let allowed, let upstream else { return nil }
        return .tcp(upstream: upstream, rule: PassageRule(allowed: allowed))
    }

    private static func readPattern(_ reader: DocumentReader, _ trustDomains: [String]) -> AgentPattern? {
        let pattern = reader.value(
            expected: "a SPIFFE ID, or one that ends in /*, such as \"spiffe://example.org/agent/*\"", AgentPattern.init
        )
        if let pattern, !trustDomains.contains(pattern.trustDomain) {
            reader.warn("the listener has no trust domain \(pattern.trustDomain); no client can match")
        }
        return pattern
    }

    /// The peers that speak for others; the outer optional tells whether they were understood.
    static func proxyPeers(_ reader: DocumentReader?, address: ListenAddress?) -> [AddressBlock]? {
        guard let reader else { return [] }
        guard let section = reader.section(["from"]) else { return nil }
        let blocks = section.required("from", "the addresses of the proxies, such as [\"10.0.0.0/8\"]")?
            .distinct(atLeastOne: "block of addresses") { item in
                item.value(expected: "a block such as 10.0.0.0/8 or 2001:db8::/32, without bits behind its prefix") {
                    AddressBlock($0)
                }
            }
        if case .unix = address {
            reader.refuse("whoever connects to a Unix socket has no address; remove the key, or listen on a port")
            return nil
        }
        for block in blocks ?? [] where block.prefixLength == 0 {
            section.optional("from")?.warn(
                "everyone is believed to be whoever they say they are; name the proxies alone")
        }
        return blocks
    }
}
