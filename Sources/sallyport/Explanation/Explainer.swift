import Bytes
import Configuration
import Cryptography
import Exchange
import Foundation
import HTTP
import HTTP1
import Identity
import Limits
import Policy
import Possession
import Revocation
@_spi(Explanation) import TLS
import Tokens

/// Decides about a captured request as the gateway would, with the gatekeeper that serves, and tells how it came about.
///
/// It opens no socket and writes no file. What only the running gateway knows is empty here: used proofs, revocations, the
/// nonces that were given out, keys and answers that are fetched from issuers.
struct Explainer {
    /// What the gateway is told to do.
    let configuration: GatewayConfiguration
    /// The moment of the decision.
    let now: UnixTime

    /// Where no address is known; it is in no decision.
    private static let address = "captured"

    /// Takes the request through the handshake's rules, the HTTP machine and the decision.
    func explain(_ captured: CapturedRequest) throws -> Explanation {
        var exchange = Exchange()
        let limits = HeadLimits(bytes: configuration.limits.headerBytes, count: configuration.limits.headerCount)
        var machine = HTTP1ServerConnection(limits: limits, bodyLimit: configuration.limits.bodyBytes)
        let input = machine.input(captured.head.span, head: &exchange.request)
        let listener = try listener(for: captured, authority: exchange.request.authority.readable)
        let policy = try TrustDomainPolicy(
            mode: listener.identity,
            bundles: listener.trustDomains.map { (trustDomain: $0.name, certificates: $0.bundle) },
            lists: listener.writtenRevocationLists)
        var facts: [ExplainedStep: String] = [:]
        let peer: VerifiedPeer?
        do throws(CertificateRefusal) {
            peer = try self.peer(captured.certificates, of: listener, policy)
            facts[.connection] = Self.describe(peer, on: listener)
        } catch {
            facts[.connection] = Self.describe(refused: captured.certificates.first, on: listener)
            return explanation(at: .connection, facts, .handshakeFailed(reason: error.reason))
        }
        let context = connection(of: listener, peer, authority: exchange.request.authority.readable)
        switch input {
        case .request:
            facts[.message] = "one reading as HTTP/1.1"
        case .refused(let fault):
            let denial = Denial(fault)
            return explanation(at: .message, facts, .denied(denial, answer(to: denial, &exchange)))
        default:
            throw CommandFailure.couldNotRun("the request is not whole; end its head with an empty line")
        }
        return try decide(&exchange, on: context, facts)
    }

    // MARK: Before the decision

    /// The listener that the capture names, or whose origin the request is for; where there is none, the first.
    private func listener(for captured: CapturedRequest, authority: Span<UInt8>) throws -> ListenerConfiguration {
        if let name = captured.listener {
            guard let listener = configuration.listeners.first(where: { $0.name == name }) else {
                throw CommandFailure.couldNotRun(
                    "there is no listener \(name.printable); name one of the configuration")
            }
            return listener
        }
        for listener in configuration.listeners {
            for origin in listener.origins where origin.matches(authority: authority) { return listener }
        }
        guard let first = configuration.listeners.first else {
            throw CommandFailure.couldNotRun("the configuration has no listener; write one")
        }
        return first
    }

    private func peer(
        _ chain: [Certificate], of listener: ListenerConfiguration, _ policy: TrustDomainPolicy
    ) throws(CertificateRefusal) -> VerifiedPeer? {
        guard !chain.isEmpty else {
            guard listener.clientCertificate == .optional else { throw CertificateRefusal("certificate.missing") }
            return nil
        }
        return try policy.peer(AuthenticatedCertificate.assumingPossession(of: chain, policy: policy, now: now))
    }

    /// The connection that the client would have made: SNI names the host, unless that is an address (RFC 6066 §3).
    private func connection(
        of listener: ListenerConfiguration, _ peer: VerifiedPeer?, authority: Span<UInt8>
    ) -> ConnectionContext {
        let text = String(validating: authority) ?? ""
        let host = text.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        let isAddress = text.hasPrefix("[") || host.allSatisfy { $0.isNumber || $0 == "." }
        let serverName = isAddress ? nil : host
        let index = serverName.flatMap { name in listener.certificates.firstIndex { $0.covers(host: name) } }
        return ConnectionContext(
            rules: ListenerRules(listener, documents: documents(of: listener)), peer: peer, address: Self.address,
            serverName: serverName, certificateIndex: index ?? 0)
    }

    private func documents(of listener: ListenerConfiguration) -> [Origin: [ServedDocument]] {
        let keySet = configuration.transactionTokens.map { ResourceMetadata.keySet(of: $0) }
        return ResourceMetadata.documents(
            for: listener, routes: configuration.routes, issuers: configuration.issuers,
            dpopAlgorithms: configuration.possession.dpop.algorithms
        ).mapValues { [$0] + [keySet].compactMap(\.self) }
    }

    // MARK: The decision

    private func decide(
        _ exchange: inout Exchange, on connection: ConnectionContext, _ before: [ExplainedStep: String]
    ) throws -> Explanation {
        let snapshot = EnforcementSnapshot(
            generation: 1, issuers: IssuerTable(configuration.issuers), routes: RouteTable(configuration.routes),
            revocations: .empty, limits: configuration.limits, possession: configuration.possession)
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<48).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let memory = ProofMemory(capacity: 1024, secret: secret, start: UnixTime(nanoseconds: 0))
        let gatekeeper = Gatekeeper(
            engine: try CryptographicEngine(), memory: memory, limits: LimitTable(secret: Array(secret[..<16])))
        let outcome: Explanation.Outcome
        var reached: ExplainedStep
        do throws(Denial) {
            switch try gatekeeper.judge(&exchange, from: connection, under: snapshot, now: now) {
            case .permitted(let permit): outcome = .allowed(upstream: permit.route.upstream)
            case .serves(let document): outcome = .served(contentType: document.contentType)
            case .receives(let reception):
                outcome = .undecided(question: "is the content a security event of the feed \(reception.feed)?")
            case .asks(let question): outcome = .undecided(question: Self.describe(question))
            }
            reached = ExplainedStep(exchange.phase)
        } catch {
            reached = error.reason.hasPrefix("certificate.") ? .connection : ExplainedStep(exchange.phase)
            outcome = .denied(error, answer(to: error, &exchange))
        }
        let facts = before.merging(facts(of: exchange, upTo: reached)) { _, new in new }
        return explanation(at: reached, facts, chain: Self.drawing(of: exchange).lines, outcome)
    }

    private func explanation(
        at reached: ExplainedStep, _ facts: [ExplainedStep: String], chain: [String] = [],
        _ outcome: Explanation.Outcome
    ) -> Explanation {
        Explanation(reached: reached, facts: facts, chain: chain, outcome: outcome, time: Self.text(now))
    }

    /// What the client would be told; a nonce that nobody will recognise is not shown.
    private func answer(to denial: Denial, _ exchange: inout Exchange) -> ClientAnswer {
        var head = ResponseHead()
        var body = ByteQueue()
        let algorithms = configuration.possession.dpop.algorithms.map(\.rawValue).joined(separator: " ")
        exchange.fill(&head, &body, denial: denial, proofAlgorithms: algorithms)
        var fields: [(name: String, value: String)] = []
        for index in 0..<head.fields.count {
            let name = String(validating: head.fields.name(index)) ?? ""
            switch name {
            case "www-authenticate", "retry-after":
                fields.append((name: name, value: String(validating: head.fields.value(index)) ?? ""))
            case "dpop-nonce": fields.append((name: name, value: "(a fresh one)"))
            default: continue
            }
        }
        return ClientAnswer(
            status: denial.status, title: "urn:sallyport:\(denial.code.rawValue): \(denial.code.title)", fields: fields)
    }
}
