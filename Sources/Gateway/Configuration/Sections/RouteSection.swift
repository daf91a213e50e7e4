import Bytes
import Delegation
import Limits
import Policy
import Possession

/// Reads the section `routes`.
struct RouteSection {
    private static let keys = ["name", "match", "require", "forward", "upgrades", "limits", "expiry_grace", "upstream"]
    private static let requirementKeys = [
        "issuers", "possession", "scope", "sponsor", "delegation", "claims", "acr", "max_age",
        "dangerously_allow_subject_mismatch",
    ]
    private static let ageRange = Interval.seconds(1)...Interval.seconds(366 * 24 * 3600)
    /// A day: whoever needs more should be given longer tokens.
    private static let longestGrace = Interval.seconds(24 * 3600)
    /// How many links a delegation chain may have where the route does not say.
    private static let defaultDelegationDepth = 5
    private static let depths = 0...Lineage.maximumDepth

    let issuers: NameRegister
    let upstreams: NameRegister
    /// The hosts of the listeners' origins.
    let hosts: Set<String>
    /// Whether there is a section `transaction_tokens`.
    let hasTransactionTokens: Bool
    private var names = NameRegister(kind: "route")
    /// The upstreams of the routes that let connections change their protocol.
    private var upgrading: [(upstream: String, reader: DocumentReader)] = []

    init(issuers: NameRegister, upstreams: NameRegister, hosts: Set<String>, hasTransactionTokens: Bool) {
        self.issuers = issuers
        self.upstreams = upstreams
        self.hosts = hosts
        self.hasTransactionTokens = hasTransactionTokens
    }

    /// The routes that could be read; faults tell of the others.
    mutating func read(_ reader: DocumentReader?) -> [Route] {
        var routes: [Route] = []
        for item in reader?.items() ?? [] {
            if let route = readRoute(item) { routes.append(route) }
        }
        return routes
    }

    /// Refuses upgrades of routes whose upstream speaks a protocol that has none.
    func checkUpgrades(by upstreams: [UpstreamConfiguration]) {
        for (name, reader) in upgrading where upstreams.contains(where: { $0.name == name && $0.speaks == .h2 }) {
            reader.refuse(
                "the upstream \(name) speaks HTTP/2, which upgrades nothing; give the route one with http/1.1")
        }
    }

    private mutating func readRoute(_ reader: DocumentReader) -> Route? {
        guard let section = reader.section(Self.keys) else { return nil }
        let name = section.required("name", "a name for logs and audit records")?.name(takenIn: &names)
        let match = readMatch(section.required("match", "path under it"))
        let require = readRequirement(
            section.required("require", "issuers and possession under it; without them nobody may call"),
            parameters: match?.path.parameterNames)
        let forward = readForwarding(section.optional("forward"))
        let upgrades = section.optional("upgrades").map(readUpgrades) ?? []
        let limits = section.optional("limits").map { RateLimitSection.read($0, of: .route, named: name) } ?? .some(nil)
        let grace = section.optional("expiry_grace").map { $0.duration(in: .zero...Self.longestGrace) } ?? .zero
        let upstream = readReference(section.required("upstream", "the name of an upstream"), in: upstreams)
        guard let name, let match, let require, let forward, let upgrades, let limits, let grace,
            let upstream
        else { return nil }
        if !upgrades.isEmpty, let reader = section.optional("upgrades") { upgrading.append((upstream, reader)) }
        return Route(
            name: name, match: match, requirement: require, forwarding: forward, upstream: upstream, upgrades: upgrades,
            limits: limits, expiryGrace: grace)
    }

    private func readMatch(_ reader: DocumentReader?) -> RouteMatch? {
        guard let section = reader?.section(["methods", "host", "path"]) else { return nil }
        let methods =
            section.optional("methods").map { list in
                list.distinct(atLeastOne: "method") {
                    $0.value(expected: "a method in capitals, such as GET", Self.method)
                }
            } ?? []
        let host = section.optional("host").map(readHost) ?? .some(nil)
        let path = section.required("path", "the path to match, such as \"/orders/{order_id}\"").flatMap(readPath)
        guard let methods, let host, let path else { return nil }
        return RouteMatch(methods: methods, host: host, path: path)
    }

    private func readPath(_ reader: DocumentReader) -> PathPattern? {
        guard let text = reader.text() else { return nil }
        do throws(PathPatternError) {
            return try PathPattern(text)
        } catch {
            reader.refuse("the path is not understood: \(error)")
            return nil
        }
    }

    private static func method(_ text: String) -> String? {
        text != "CONNECT" && text.utf8.allSatisfy { ($0 >= 0x41 && $0 <= 0x5A) || $0 == UInt8(ascii: "-") } ? text : nil
    }

    /// The host in lower case, as a request's authority names it; the outer optional tells whether it was understood.
    private func readHost(_ reader: DocumentReader) -> String?? {
        let host = reader.value(expected: "a host without a port") { text -> String? in
            guard let parts = HostPort(text), parts.port == nil else { return nil }
            return parts.bracketedHost
        }
        guard let host else { return nil }
        if !hosts.contains(host) { reader.warn("no listener has an origin of this host; no request can match") }
        return .some(host)
    }

    // MARK: require

    private func readRequirement(_ reader: DocumentReader?, parameters: [String]?) -> RouteRequirement? {
        guard let section = reader?.section(Self.requirementKeys) else { return nil }
        let issuers = section.required("issuers", "the issuers whose tokens may call; without one nobody may")?
            .distinct(atLeastOne: "issuer") { readReference($0, in: self.issuers) }
        let possession = section.required("possession", "the accepted proofs, such as [certificate]")?
            .distinct(atLeastOne: "proof of possession") { $0.choice(PossessionMethod.self) }
        let scope = section.optional("scope").map { readScope($0, parameters: parameters) } ?? .some(nil)
        let mismatch = section.optional("dangerously_allow_subject_mismatch")
        let allowsMismatch = mismatch.map { $0.flag() } ?? false
        if allowsMismatch == true {
            mismatch?.warn("any agent may use any other agent's token on this route if it is bound to its certificate")
        }
        let claims = section.optional("claims").map { $0.claimRules() } ?? []
        let sponsor = section.optional("sponsor").map { $0.flag() } ?? false
        let depth = section.optional("delegation").map(readDepth) ?? Self.defaultDelegationDepth
        let contexts = section.optional("acr").map(readContexts) ?? []
        let age = section.optional("max_age").map { $0.duration(in: Self.ageRange).map(Optional.some) } ?? .some(nil)
        guard let issuers, let possession, let scope, let allowsMismatch, let claims, let sponsor, let depth,
            let contexts, let age
        else { return nil }
        return RouteRequirement(
            issuers: issuers, possession: Set(possession), scope: scope, maximumDelegationDepth: depth,
            allowsSubjectMismatch: allowsMismatch, claims: claims, requiresSponsor: sponsor,
            authenticationContexts: contexts, maximumAuthenticationAge: age)
    }

    /// How many links a delegation chain may have; 0 lets no delegated token pass.
    private func readDepth(_ reader: DocumentReader) -> Int? {
        guard let section = reader.section(["maximum_depth"]) else { return nil }
        return section.required("maximum_depth", "how many links a chain may have; 0 takes no delegated tokens")?
            .number(in: Self.depths)
    }

    /// The ways of authentication of which one is wanted: a challenge names them between quotes, with spaces between them.
    private func readContexts(_ reader: DocumentReader) -> [String]? {
        reader.distinct(atLeastOne: "way of authentication, as acr of a token names it") { item in
            item.value(expected: "an acr: text without spaces, quotes and backslashes") { text in
                let isPlain = text.utf8.allSatisfy { byte in
                    byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                }
                return isPlain ? text : nil
            }
        }
    }

    /// The scope; the outer optional tells whether it was understood.
    ///
    /// Without known parameters it cannot be checked.
    private func readScope(_ reader: DocumentReader, parameters: [String]?) -> ScopeTemplate?? {
        guard let text = reader.text(), let parameters else { return nil }
        do throws(ScopeTemplateError) {
            return .some(try ScopeTemplate(text, parameters: parameters))
        } catch {
            reader.refuse("the scope is not understood: \(error)")
            return nil
        }
    }

    // MARK: forward, upstream

    private func readForwarding(_ reader: DocumentReader?) -> ForwardingRule? {
        guard let reader else { return ForwardingRule(authorization: .strip, clientCertificate: false) }
        guard let section = reader.section(["authorization", "client_cert", "txn_token"]) else { return nil }
        let authorization =
            section.optional("authorization").map { reader in
                reader.value(expected: "strip, bearer or keep") { AuthorizationForwarding(rawValue: $0) }
            } ?? .strip
        let clientCertificate = section.optional("client_cert").map { $0.flag() } ?? false
        let transactionToken = section.optional("txn_token").map(readTransactionToken) ?? false
        guard let authorization, let clientCertificate, let transactionToken else { return nil }
        return ForwardingRule(
            authorization: authorization, clientCertificate: clientCertificate, transactionToken: transactionToken)
    }

    /// The protocols that connections may be upgraded to, in lower case; none where the list is empty.
    private func readUpgrades(_ reader: DocumentReader) -> [String]? {
        guard let items = reader.items() else { return nil }
        guard !items.isEmpty else { return [] }
        return reader.distinct(atLeastOne: "protocol, such as websocket") { item in
            item.value(expected: "a protocol that Upgrade names, such as websocket") { text in
                let token = text.lowercased()
                // A TLS or HTTP/2 of its own would leave the gateway without sight of requests.
                guard !["h2c", "h2", "tls", "http", "connect-udp", "connect-ip"].contains(Self.protocolName(token))
                else { return nil }
                return text.utf8.count <= 64 && text.utf8.allSatisfy(Self.isTokenCharacter) ? token : nil
            }
        }
    }

    private static func protocolName(_ token: String) -> String { String(token.prefix { $0 != "/" }) }

    /// RFC 9110 §5.6.2, and the slash before a version (§7.8).
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~/".utf8.contains(byte)
        }
    }

    private func readTransactionToken(_ reader: DocumentReader) -> Bool? {
        let flag = reader.flag()
        guard flag == true, !hasTransactionTokens else { return flag }
        reader.refuse("nothing says how transaction tokens are signed; add the section transaction_tokens")
        return nil
    }

    private func readReference(_ reader: DocumentReader?, in register: NameRegister) -> String? {
        guard let reader, let name = reader.text(), register.knows(name, reader) else { return nil }
        return name
    }
}
