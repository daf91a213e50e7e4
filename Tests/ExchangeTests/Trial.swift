import Audit
import Bytes
import Cryptography
import HTTP
import Identity
import Limits
import Policy
import Possession
import Revocation
import Support
import TLS
import Tokens

@testable import Configuration
@testable import Exchange

/// A gateway in memory: one listener, one issuer, one route and a client, so that a request is allowed unless a test
/// changes something.
struct Trial: Sendable {
    static let authority = "localhost:8443"
    static let identifier = RequestIdentifier(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)
    static let identifierText = "0123456789abcdeffedcba9876543210"

    let broker: Broker
    let handshake: Handshake
    /// The client, an X509-SVID of the tokens' subject.
    let peer: VerifiedPeer
    /// Names `localhost` only.
    let certificate: ServerCertificate

    private static let shared = Result { try Trial() }

    /// The only one: handshakes take their time.
    static func standard() throws -> Trial { try shared.get() }

    private init() throws {
        broker = try Broker.standard()
        handshake = try Handshake()
        guard let peer = try handshake.peer(uris: [Broker.subject]) else { throw TrialError.noPeer }
        self.peer = peer
        certificate = try handshake.identity(dnsNames: ["localhost"])
    }

    enum TrialError: Error { case asks, noPeer, noReceipt, notText, receives, serves }

    // MARK: What the operator has configured

    func listener(
        origins: [String] = ["https://localhost:8443"], certificates: [ServerCertificate]? = nil,
        identity: IdentityMode = .spiffe, trustDomains: [String] = ["example.test"]
    ) -> ListenerConfiguration {
        ListenerConfiguration(
            name: "agents", address: .ip(host: "127.0.0.1", port: 8443), origins: origins.compactMap { Origin($0) },
            protocols: [.http11], certificates: certificates ?? [certificate], minimumVersion: .v13,
            resumption: false, clientCertificate: .required, identity: identity,
            trustDomains: trustDomains.map { TrustDomainConfiguration(name: $0, bundle: []) })
    }

    static func route(
        path: String = "/orders/{order_id}", methods: [String] = ["GET", "PUT", "POST"],
        issuers: [String] = [Broker.issuer], possession: Set<PossessionMethod> = [.certificate],
        scope: String? = "read:orders:{order_id}", allowsSubjectMismatch: Bool = false,
        forwarding: ForwardingRule = ForwardingRule(authorization: .strip, clientCertificate: false)
    ) throws -> Route {
        let pattern = try PathPattern(path)
        return Route(
            name: "read-order", match: RouteMatch(methods: methods, host: nil, path: pattern),
            requirement: RouteRequirement(
                issuers: issuers, possession: possession,
                scope: try scope.map { try ScopeTemplate($0, parameters: pattern.parameterNames) },
                maximumDelegationDepth: 5, allowsSubjectMismatch: allowsSubjectMismatch),
            forwarding: forwarding, upstream: "orders")
    }

    func snapshot(
        _ route: Route? = nil, revocations: RevocationSnapshot = .empty, limits: Limits = Limits()
    ) throws -> EnforcementSnapshot {
        EnforcementSnapshot(
            generation: 1, issuers: try broker.table(), routes: RouteTable([try route ?? Self.route()]),
            revocations: revocations, limits: limits)
    }

    // MARK: What the client does

    func connection(
        peer: VerifiedPeer?, address: String = "192.0.2.1:51234", serverName: String? = "localhost",
        rules: ListenerRules? = nil
    ) -> ConnectionContext {
        ConnectionContext(
            rules: rules ?? ListenerRules(listener()), peer: peer, address: address, serverName: serverName,
            certificateIndex: 0)
    }

    /// A token that is bound to the client's certificate and grants what the route asks for.
    func token(_ changed: [String: String?] = [:]) throws -> String {
        let standard: [String: String?] = [
            "cnf": #"{"x5t#S256":"\#(peer.certificate.fingerprint.base64URL)"}"#,
            "scope": #""read:other:1 read:orders:7""#,
        ]
        let token = try broker.token(standard.merging(changed) { $1 })
        guard let text = String(validating: token.span) else { throw TrialError.notText }
        return text
    }

    /// A request without a token.
    static func exchange(
        _ method: String = "GET", _ target: String = "/orders/7", authority: String = authority,
        _ fields: [(String, String)] = []
    ) -> Exchange {
        var exchange = Exchange()
        exchange.request.method.append(utf8: method)
        exchange.request.target.append(utf8: target)
        exchange.request.authority.append(utf8: authority)
        for (name, value) in fields {
            exchange.request.fields.append(name: name.utf8.span, value: value.utf8.span)
        }
        exchange.begin(identifier: identifier, traceWords: (0xa, 0xb, 0xd), now: MonotonicTime(nanoseconds: 5))
        return exchange
    }

    // MARK: What the gateway makes of it

    func judge(
        _ exchange: inout Exchange, from connection: ConnectionContext, under snapshot: EnforcementSnapshot,
        at now: UnixTime = Broker.now
    ) throws -> Permit {
        let gatekeeper = Gatekeeper(engine: try CryptographicEngine(), memory: Self.memory(), limits: Self.limits())
        return try Self.permit(try gatekeeper.judge(&exchange, from: connection, under: snapshot, now: now))
    }

    /// Nothing is counted yet.
    static func limits() -> LimitTable {
        LimitTable(secret: Array(repeating: 9, count: 16))
    }

    /// Nothing is remembered yet.
    static func memory() -> ProofMemory {
        ProofMemory(capacity: 100, secret: Array(repeating: 7, count: 48), start: UnixTime(nanoseconds: 0))
    }

    /// The permit that a judgement is, if it is one.
    static func permit(_ judgement: consuming Judgement) throws -> Permit {
        switch consume judgement {
        case .permitted(let permit): return permit
        case .asks: throw TrialError.asks
        case .serves: throw TrialError.serves
        case .receives: throw TrialError.receives
        }
    }

    /// The log's receipt for some record.
    static func receipt() throws -> AuditReceipt {
        let queue = AuditQueue(capacity: 4096)
        var record = AuditRecord()
        record.member(event: .requestAllowed)
        record.finish()
        guard let ticket = queue.submit(record), let receipt = queue.redeem(ticket, durability: .batched) else {
            throw TrialError.noReceipt
        }
        return receipt
    }
}

/// All lines of a message, one string each.
func lines(_ fields: borrowing FieldTable) -> [String] {
    (0..<fields.count).map { "\(text(fields.name($0))): \(text(fields.value($0)))" }
}

/// Bytes as text; those that are not UTF-8 are left to stand out.
func text(_ bytes: Span<UInt8>) -> String {
    String(validating: bytes) ?? "\(Array(copying: bytes))"
}

func text(_ bytes: borrowing ByteQueue) -> String {
    bytes.withReadable { text($0) }
}
