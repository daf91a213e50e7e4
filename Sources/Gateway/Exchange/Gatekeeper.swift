public import Bytes
import Configuration
public import Cryptography
import HTTP
import Identity
public import Limits
import Policy
import Possession
import Revocation
public import Tokens

/// Leads a request through the phases of a decision, in the order of the design: one per worker.
///
/// It is synchronous and looks only at what it is handed: the request, the connection, a snapshot and the time. The first
/// phase that fails decides; what the earlier ones established stays in the exchange for the record.
public final class Gatekeeper {
    private let tokens: TokenExaminer
    private let proofs: ProofExaminer
    private let memory: ProofMemory
    private let limits: LimitTable

    /// Makes the gatekeeper of one thread.
    ///
    /// - Parameters:
    ///   - engine: the thread's.
    ///   - memory: what all threads share about proofs.
    ///   - limits: what all threads count.
    public init(engine: CryptographicEngine, memory: ProofMemory, limits: LimitTable) {
        self.limits = limits
        tokens = TokenExaminer(engine: engine)
        proofs = ProofExaminer(engine: engine, memory: memory)
        self.memory = memory
    }

    /// Decides about the request in `exchange`.
    ///
    /// - Returns: the permit, the only thing that a request can be forwarded with; or what there is to do instead.
    public func judge(
        _ exchange: inout Exchange, from connection: ConnectionContext, under snapshot: EnforcementSnapshot,
        now: UnixTime
    ) throws(Denial) -> Judgement {
        exchange.beginJudgement()
        try checkConnection(connection, now)
        let origin = try checkTarget(&exchange, connection)
        if let document = origin.document(at: exchange.target.path, method: exchange.request.method.readable) {
            return .serves(document)
        }
        if !connection.rules.events.isEmpty, let reception = Self.reception(exchange, connection) {
            // Who may not deliver spends nothing of what those may who may.
            if reception.isAuthorized { try limits.admit(&exchange, from: connection) }
            return .receives(reception)
        }
        let route = try findRoute(&exchange, snapshot)
        let presented = try findCredentials(&exchange, route, snapshot)
        let outcome = try tokens.verify(
            presented, of: &exchange, for: route, on: connection, under: snapshot, now: now)
        switch consume outcome {
        case .asks(let question):
            exchange.asked.append(question)
            return .asks(question)
        case .verified(let credentials):
            exchange.claims = credentials.token.claims
            exchange.workloadClaims = Self.workloadClaims(credentials)
            let possession = try verifyPossession(
                &exchange, presented, credentials, route, connection, snapshot, now)
            let unrevoked: Unrevoked
            do throws(RevokedCredential) {
                unrevoked = try checkRevocation(&exchange, credentials, connection, snapshot, now)
            } catch {
                return .asks(try Self.question(after: error, &exchange))
            }
            exchange.setExpiry(route, connection, snapshot)
            return .permitted(try permit(&exchange, route, credentials, possession, unrevoked, connection, now))
        }
    }

    /// Takes in what an issuer said of a token, for the request that asked and those after it.
    public func learn(
        introspection body: Span<UInt8>, of token: Span<UInt8>, issuer: String, under snapshot: EnforcementSnapshot,
        now: UnixTime
    ) throws(TokenRejection) {
        try tokens.learn(introspection: body, of: token, issuer: issuer, under: snapshot, now: now)
    }

    /// A certificate may expire while its connection lives.
    private func checkConnection(_ connection: ConnectionContext, _ now: UnixTime) throws(Denial) {
        guard let peer = connection.peer, peer.isExpired(at: now) else { return }
        throw Denial(.invalidToken, "certificate.expired", closesConnection: true)
    }

    /// Phase 1: the authority is ours, and the target has one reading.
    private func checkTarget(
        _ exchange: inout Exchange, _ connection: ConnectionContext
    ) throws(Denial) -> PublicOrigin {
        exchange.phase = .target
        do { try Self.normalize(exchange.request, into: &exchange.target) } catch {
            throw Denial(.malformedRequest, error.reason, closesConnection: true)
        }
        guard !exchange.request.namesPlainHTTP else { throw Denial(.misdirected, "target.scheme") }
        let origin = connection.rules.origin(
            authority: exchange.request.authority.readable, serverName: connection.serverName,
            certificate: connection.certificateIndex)
        guard let origin else { throw Denial(.misdirected, "target.authority") }
        exchange.origin = origin
        return origin
    }

    private static func normalize(
        _ request: borrowing RequestHead, into target: inout NormalizedTarget
    ) throws(TargetError) {
        try target.normalize(request.target.readable)
    }

    /// What a transmitter of security events brings to where they are taken in.
    private static func reception(
        _ exchange: borrowing Exchange, _ connection: ConnectionContext
    ) -> EventReception? {
        guard exchange.request.method.withReadable({ $0.equals("POST") }) else { return nil }
        let path = exchange.target.path
        guard let endpoint = connection.rules.events.first(where: { path.equals(utf8: $0.path) }) else { return nil }
        return EventReception(endpoint, request: exchange.request)
    }

    /// Phase 2: the first route that matches.
    private func findRoute(_ exchange: inout Exchange, _ snapshot: EnforcementSnapshot) throws(Denial) -> Route {
        exchange.phase = .route
        // RFC 9110 §9.3.8: an upstream would send back what only it may know.
        let repeats = exchange.request.method.withReadable { $0.equals("TRACE") || $0.equals("TRACK") }
        guard !repeats else { throw Denial(.noRoute, "route.none") }
        guard let route = Self.route(of: exchange, snapshot) else { throw Denial(.noRoute, "route.none") }
        exchange.route = route
        return route
    }

    /// The first route that matches; what asks for another protocol by extended CONNECT asks by GET in HTTP/1.1, and is a
    /// request of the same route.
    private static func route(of exchange: borrowing Exchange, _ snapshot: EnforcementSnapshot) -> Route? {
        let host = exchange.request.authority.readable
        return exchange.isExtendedConnect
            ? snapshot.routes.match(method: "GET".utf8.span, host: host, target: exchange.target)
            : snapshot.routes.match(method: exchange.request.method.readable, host: host, target: exchange.target)
    }

    /// Phase 3, first half: where the credentials are; the second is ``TokenExaminer``'s.
    private func findCredentials(
        _ exchange: inout Exchange, _ route: Route, _ snapshot: EnforcementSnapshot
    ) throws(Denial) -> PresentedCredentials {
        exchange.phase = .token
        do throws(Denial) {
            let presented = try PresentedCredentials.locate(in: exchange, for: route, under: snapshot)
            exchange.scheme = presented.access?.scheme
            return presented
        } catch {
            guard error.code == .credentialsMissing else { throw error }
            // Who comes without credentials is told what to ask for.
            let scope = route.requiredScope(target: exchange.target)
            throw Denial(error.code, error.reason, scope: scope.isEmpty ? nil : scope)
        }
    }

    /// Phase 4: what the confirmations of the tokens demand.
    private func verifyPossession(
        _ exchange: inout Exchange, _ presented: PresentedCredentials, _ credentials: borrowing VerifiedCredentials,
        _ route: Route, _ connection: ConnectionContext, _ snapshot: EnforcementSnapshot, _ now: UnixTime
    ) throws(Denial) -> VerifiedPossession {
        exchange.phase = .binding
        let rule = route.possessionRule
        let claims = credentials.token.claims
        let workload = Self.workloadClaims(credentials)
        do throws(PossessionFailure) {
            try PossessionVerifier.checkPeer(claims, peer: connection.peer, rule: rule)
            if let workload {
                try PossessionVerifier.checkSubject(workload, beside: claims, peer: connection.peer, rule: rule)
            }
        } catch {
            throw Denial(.invalidToken, error.reason)
        }
        let workloadProof = try proofs.workloadProof(
            in: exchange, presented, workload ?? claims, under: snapshot, now: now)
        let workloadKey: Digest256? =
            switch workloadProof {
            case .some(let proof): proof.keyThumbprint
            case .none: nil
            }
        var proof: VerifiedProof?
        if let access = presented.access {
            if let key = claims.confirmations.keyToProve(having: workloadKey) {
                proof = try proofs.proof(in: &exchange, of: access, boundKey: key, under: snapshot, now: now)
            } else if access.scheme == .dpop {
                throw Denial(.invalidToken, "credentials.unbound-token-as-dpop")
            }
        }
        do throws(PossessionFailure) {
            let possession = try PossessionVerifier.verify(
                token: credentials.token, peer: connection.peer, proof: proof,
                workloadProof: workloadProof, rule: rule)
            exchange.possession = possession.methods
            return possession
        } catch {
            throw Denial(.invalidToken, error.reason)
        }
    }

    private static func workloadClaims(_ credentials: borrowing VerifiedCredentials) -> TokenClaims? {
        switch credentials.workload {
        case .some(let token): token.claims
        case .none: nil
        }
    }

    /// Phase 6: nothing of it was taken back.
    private func checkRevocation(
        _ exchange: inout Exchange, _ credentials: borrowing VerifiedCredentials, _ connection: ConnectionContext,
        _ snapshot: EnforcementSnapshot, _ now: UnixTime
    ) throws(RevokedCredential) -> Unrevoked {
        exchange.phase = .revocation
        switch credentials.workload {
        case .some(let token): _ = try snapshot.revocations.check(token: token, peer: connection.peer, now: now)
        case .none: break
        }
        return try snapshot.revocations.check(token: credentials.token, peer: connection.peer, now: now)
    }

    /// What to ask where a token's status is not known yet; what is revoked, or was asked about in vain, is denied.
    private static func question(
        after revoked: RevokedCredential, _ exchange: inout Exchange
    ) throws(Denial) -> Question {
        if case .statusUnknown(let uri) = revoked {
            let claims = [exchange.claims, exchange.workloadClaims].compactMap(\.self)
            if let issuer = claims.first(where: { $0.statusReference?.uri == uri })?.issuer {
                let question = Question.statusList(issuer: issuer, uri: uri)
                if !exchange.asked.contains(question) {
                    exchange.asked.append(question)
                    return question
                }
            }
        }
        throw Denial(revoked.isUnavailability ? .unavailable : .invalidToken, revoked.reason)
    }

    /// Phases 7 and 8: the route's conditions, and only then the novelty of the proofs.
    private func permit(
        _ exchange: inout Exchange, _ route: Route, _ credentials: borrowing VerifiedCredentials,
        _ possession: borrowing VerifiedPossession, _ unrevoked: consuming Unrevoked,
        _ connection: ConnectionContext, _ now: UnixTime
    ) throws(Denial) -> Permit {
        exchange.phase = .policy
        exchange.upstream = route.upstream
        if let workload = Self.workloadClaims(credentials), !route.takesTokens(of: workload.issuer) {
            throw Denial(.policy, "policy.workload-issuer")
        }
        let clearance: Clearance
        do throws(PolicyDenial) {
            clearance = try route.clear(
                token: credentials.token, possession: possession, unrevoked: unrevoked, target: exchange.target,
                now: now)
        } catch {
            throw denial(error, of: exchange, route)
        }
        exchange.grant = clearance.grant
        try exchange.settleUpgrade(for: route)
        // The record names the proofs that the route asked for, not all that happen to hold.
        exchange.possession.formIntersection(route.accepted)
        // Before the proofs are used up, since a call that has to wait must be able to come again with them.
        let lease = try limits.admit(&exchange, of: connection.rules, route)
        exchange.phase = .replay
        do throws(ConsumptionFailure) {
            let permit = clearance.permit(try memory.replay.consume(possession, now: now))
            if let lease { exchange.keep(lease) }
            return permit
        } catch {
            // Who replays a proof must not spend the quota of its owner.
            if let lease { lease.refund() }
            let code: ProblemCode = error.isWorkloadProof ? .invalidWorkloadToken : .invalidProof
            throw Denial(error.refusal.isOverload ? .unavailable : code, error.refusal.reason)
        }
    }

    private func denial(_ denial: PolicyDenial, of exchange: borrowing Exchange, _ route: Route) -> Denial {
        if denial == .stepUp { return Denial(.insufficientAuthentication, denial.reason) }
        guard denial.isScope else { return Denial(.policy, denial.reason) }
        return Denial(.insufficientScope, denial.reason, scope: route.requiredScope(target: exchange.target))
    }
}
