public import Bytes
import Configuration
public import Cryptography
import HTTP
import Identity
public import Policy
import Possession
import Revocation
public import Tokens

/// Leads a request through the phases of a decision, in the order of the design: one per worker.
///
/// It is synchronous and looks only at what it is handed: the request, the connection, a snapshot and the time. The first
/// phase that fails decides; what the earlier ones established stays in the exchange for the record.
public final class Gatekeeper {
    private let tokens: TokenVerifier
    private let proofs: ProofExaminer
    private let memory: ProofMemory

    /// The number of verified tokens that a worker remembers.
    public static let tokenCacheCapacity = 8192

    /// Makes the gatekeeper of one thread.
    ///
    /// - Parameters:
    ///   - engine: the thread's.
    ///   - memory: what all threads share about proofs.
    public init(engine: CryptographicEngine, memory: ProofMemory) {
        tokens = TokenVerifier(engine: engine, cacheCapacity: Self.tokenCacheCapacity)
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
        try checkConnection(connection, now)
        let origin = try checkTarget(&exchange, connection)
        if let document = origin.document(at: exchange.target.path, method: exchange.request.method.readable) {
            return .serves(document)
        }
        let route = try findRoute(&exchange, snapshot)
        let credentials = try findToken(&exchange, route, snapshot)
        let token: VerifiedToken
        do throws(TokenRejection) {
            token = try verifyToken(exchange, credentials, route, connection, snapshot, now)
        } catch {
            return .asks(try question(for: error, exchange, credentials, snapshot))
        }
        exchange.claims = token.claims
        let possession = try verifyPossession(&exchange, credentials, route, token, connection, snapshot, now)
        let unrevoked = try checkRevocation(&exchange, token, connection, snapshot)
        return .permitted(try permit(&exchange, route, token, possession, unrevoked, now))
    }

    /// Takes in what an issuer said of a token, for the request that asked and those after it.
    public func learn(
        introspection body: Span<UInt8>, of token: Span<UInt8>, issuer: String, under snapshot: EnforcementSnapshot,
        now: UnixTime
    ) throws(TokenRejection) {
        guard let index = snapshot.issuers.issuers.firstIndex(where: { $0.issuer == issuer }) else { throw .issuer }
        try tokens.learn(introspection: body, of: token, issuer: index, among: snapshot.issuers, now: now)
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

    /// Phase 2: the first route that matches.
    private func findRoute(_ exchange: inout Exchange, _ snapshot: EnforcementSnapshot) throws(Denial) -> Route {
        exchange.phase = .route
        let route = snapshot.routes.match(
            method: exchange.request.method.readable, host: exchange.request.authority.readable, target: exchange.target
        )
        guard let route else { throw Denial(.noRoute, "route.none") }
        exchange.route = route
        return route
    }

    // MARK: 3. The token

    /// One token, in the one place for it.
    private func findToken(
        _ exchange: inout Exchange, _ route: Route, _ snapshot: EnforcementSnapshot
    ) throws(Denial) -> Credentials {
        exchange.phase = .token
        try Self.checkProofSize(exchange, limit: snapshot.limits.proofBytes)
        do throws(Denial) {
            let credentials = try Credentials.locate(
                in: exchange.request, target: exchange.target, limit: snapshot.limits.tokenBytes)
            guard let credentials else { throw Denial(.credentialsMissing, "credentials.missing") }
            exchange.scheme = credentials.scheme
            return credentials
        } catch {
            guard error.code == .credentialsMissing else { throw error }
            let scope = route.requiredScope(target: exchange.target)
            throw Denial(error.code, error.reason, scope: scope.isEmpty ? nil : scope)
        }
    }

    /// A proof beyond the limit is refused by its size, before anything looks into it.
    private static func checkProofSize(_ exchange: borrowing Exchange, limit: Int) throws(Denial) {
        guard let line = exchange.request.fields.firstIndex(of: .dpop) else { return }
        guard exchange.request.fields[line].value.count <= limit else {
            throw Denial(.tooLarge, "limit.proof-bytes", status: 431)
        }
    }

    /// The token is an issuer's whom we believe, and valid now.
    private func verifyToken(
        _ exchange: borrowing Exchange, _ credentials: Credentials, _ route: Route, _ connection: ConnectionContext,
        _ snapshot: EnforcementSnapshot, _ now: UnixTime
    ) throws(TokenRejection) -> VerifiedToken {
        try tokens.verify(
            exchange.request.fields.value(credentials.line).extracting(credentials.token), among: snapshot.issuers,
            subjectsWithin: connection.rules.subjectTrustDomains, introspectingFor: route.requirement.issuers, now: now)
    }

    /// What to ask where a token cannot be judged yet; where it can, or asking did not help, it is refused.
    private func question(
        for rejection: TokenRejection, _ exchange: borrowing Exchange, _ credentials: Credentials,
        _ snapshot: EnforcementSnapshot
    ) throws(Denial) -> Question {
        let mayAsk = !exchange.hasAsked
        switch rejection {
        case .keyUnknown(let issuer, let keyID) where mayAsk:
            return .keys(issuer: snapshot.issuers.issuers[issuer].issuer, keyID: keyID)
        case .keysMissing(let issuer) where mayAsk:
            return .keys(issuer: snapshot.issuers.issuers[issuer].issuer, keyID: nil)
        case .introspectionNeeded(let issuer) where mayAsk:
            let token = exchange.request.fields.value(credentials.line).extracting(credentials.token)
            return .introspection(issuer: snapshot.issuers.issuers[issuer].issuer, token: Array(copying: token))
        case .keysMissing, .introspectionNeeded:
            throw Denial(.unavailable, rejection.reason)
        default:
            throw Denial(.invalidToken, rejection.reason)
        }
    }

    // MARK: 4. The binding

    /// What the token's confirmation demands.
    private func verifyPossession(
        _ exchange: inout Exchange, _ credentials: Credentials, _ route: Route, _ token: borrowing VerifiedToken,
        _ connection: ConnectionContext, _ snapshot: EnforcementSnapshot, _ now: UnixTime
    ) throws(Denial) -> VerifiedPossession {
        exchange.phase = .binding
        let rule = route.possessionRule
        do throws(PossessionFailure) {
            try PossessionVerifier.checkPeer(of: token, peer: connection.peer, rule: rule)
        } catch {
            throw Denial(.invalidToken, error.reason)
        }
        var proof: VerifiedProof?
        if let key = token.claims.confirmations.boundThumbprint {
            proof = try proofs.proof(in: &exchange, of: credentials, boundKey: key, under: snapshot, now: now)
        } else if credentials.scheme == .dpop {
            throw Denial(.invalidToken, "credentials.unbound-token-as-dpop")
        }
        do throws(PossessionFailure) {
            let possession = try PossessionVerifier.verify(
                token: token, peer: connection.peer, proof: proof, rule: rule)
            exchange.possession = possession.methods
            return possession
        } catch {
            throw Denial(.invalidToken, error.reason)
        }
    }

    // MARK: 6 to 8

    /// Phase 6: nothing of it was taken back.
    private func checkRevocation(
        _ exchange: inout Exchange, _ token: borrowing VerifiedToken, _ connection: ConnectionContext,
        _ snapshot: EnforcementSnapshot
    ) throws(Denial) -> Unrevoked {
        exchange.phase = .revocation
        do { return try snapshot.revocations.check(token: token, peer: connection.peer) } catch {
            throw Denial(.invalidToken, error.reason)
        }
    }

    /// Phases 7 and 8: the route's conditions, and only then the novelty of the proof.
    private func permit(
        _ exchange: inout Exchange, _ route: Route, _ token: borrowing VerifiedToken,
        _ possession: borrowing VerifiedPossession, _ unrevoked: consuming Unrevoked, _ now: UnixTime
    ) throws(Denial) -> Permit {
        exchange.phase = .policy
        let clearance: Clearance
        do {
            clearance = try route.clear(
                token: token, possession: possession, unrevoked: unrevoked, target: exchange.target, now: now)
        } catch {
            throw denial(error, of: exchange, route)
        }
        exchange.grant = clearance.grant
        // The record names the proofs that the route asked for, not all that happen to hold.
        exchange.possession.formIntersection(route.accepted)
        exchange.phase = .replay
        do {
            return clearance.permit(try memory.replay.consume(possession, now: now))
        } catch {
            throw Denial(error.isOverload ? .unavailable : .invalidProof, error.reason)
        }
    }

    private func denial(_ denial: PolicyDenial, of exchange: borrowing Exchange, _ route: Route) -> Denial {
        if denial == .stepUp { return Denial(.insufficientAuthentication, denial.reason) }
        guard denial.isScope else { return Denial(.policy, denial.reason) }
        return Denial(.insufficientScope, denial.reason, scope: route.requiredScope(target: exchange.target))
    }
}
