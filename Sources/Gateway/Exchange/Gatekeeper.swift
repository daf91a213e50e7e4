public import Bytes
import Configuration
public import Cryptography
import HTTP
import Identity
public import Policy
import Possession
import Revocation
import Tokens

/// Leads a request through the phases of a decision, in the order of the design: one per worker.
///
/// It is synchronous and looks only at what it is handed: the request, the connection, a snapshot and the time. The first
/// phase that fails decides; what the earlier ones established stays in the exchange for the record.
public final class Gatekeeper {
    private let tokens: TokenVerifier

    /// The number of verified tokens that a worker remembers.
    public static let tokenCacheCapacity = 8192

    /// Makes the gatekeeper of one thread.
    public init(engine: CryptographicEngine) {
        tokens = TokenVerifier(engine: engine, cacheCapacity: Self.tokenCacheCapacity)
    }

    /// Decides about the request in `exchange`.
    ///
    /// - Returns: the permit, the only thing that a request can be forwarded with.
    public func judge(
        _ exchange: inout Exchange, from connection: ConnectionContext, under snapshot: EnforcementSnapshot,
        now: UnixTime
    ) throws(Denial) -> Permit {
        try checkConnection(connection, now)
        try checkTarget(&exchange, connection)
        let route = try findRoute(&exchange, snapshot)
        let token = try verifyToken(&exchange, connection, snapshot, now)
        let possession = try verifyPossession(&exchange, route, token, connection)
        let unrevoked: Unrevoked
        do { unrevoked = try snapshot.revocations.check(token: token, peer: connection.peer) } catch {
            throw Denial(.invalidToken, error.reason)
        }
        do {
            let permit = try route.permit(
                token: token, possession: possession, unrevoked: unrevoked, target: exchange.target, now: now)
            exchange.grant = permit.grant
            // The record names the proofs that the route asked for, not all that happen to hold.
            exchange.possession.formIntersection(route.accepted)
            return permit
        } catch {
            guard error.isScope else { throw Denial(.policy, error.reason) }
            throw Denial(.insufficientScope, error.reason, scope: route.requiredScope(target: exchange.target))
        }
    }

    /// A certificate may expire while its connection lives.
    private func checkConnection(_ connection: ConnectionContext, _ now: UnixTime) throws(Denial) {
        guard let peer = connection.peer, peer.isExpired(at: now) else { return }
        throw Denial(.invalidToken, "certificate.expired", closesConnection: true)
    }

    /// Phase 1: the authority is ours, and the target has one reading.
    private func checkTarget(_ exchange: inout Exchange, _ connection: ConnectionContext) throws(Denial) {
        do { try Self.normalize(exchange.request, into: &exchange.target) } catch {
            throw Denial(.malformedRequest, error.reason, closesConnection: true)
        }
        guard !exchange.request.namesPlainHTTP else { throw Denial(.misdirected, "target.scheme") }
        let isOurs = connection.rules.admits(
            authority: exchange.request.authority.readable, serverName: connection.serverName,
            certificate: connection.certificateIndex)
        guard isOurs else { throw Denial(.misdirected, "target.authority") }
    }

    private static func normalize(
        _ request: borrowing RequestHead, into target: inout NormalizedTarget
    ) throws(TargetError) {
        try target.normalize(request.target.readable)
    }

    /// Phase 2: the first route that matches.
    private func findRoute(_ exchange: inout Exchange, _ snapshot: EnforcementSnapshot) throws(Denial) -> Route {
        let route = snapshot.routes.match(
            method: exchange.request.method.readable, host: exchange.request.authority.readable, target: exchange.target
        )
        guard let route else { throw Denial(.noRoute, "route.none") }
        exchange.route = route
        return route
    }

    /// Phase 3: one token, in the one place for it, valid now.
    private func verifyToken(
        _ exchange: inout Exchange, _ connection: ConnectionContext, _ snapshot: EnforcementSnapshot, _ now: UnixTime
    ) throws(Denial) -> VerifiedToken {
        try Self.checkProofSize(exchange, limit: snapshot.limits.proofBytes)
        let (line, token) = try Credentials.locate(
            in: exchange.request, target: exchange.target, limit: snapshot.limits.tokenBytes)
        do {
            let verified = try tokens.verify(
                exchange.request.fields.value(line).extracting(token), among: snapshot.issuers,
                subjectsWithin: connection.rules.subjectTrustDomains, now: now)
            exchange.claims = verified.claims
            return verified
        } catch {
            throw Denial(.invalidToken, error.reason)
        }
    }

    /// A proof beyond the limit is refused by its size, before anything looks into it.
    private static func checkProofSize(_ exchange: borrowing Exchange, limit: Int) throws(Denial) {
        guard let line = exchange.request.fields.firstIndex(of: .dpop) else { return }
        guard exchange.request.fields[line].value.count <= limit else {
            throw Denial(.tooLarge, "limit.proof-bytes", status: 431)
        }
    }

    /// Phase 4: what the token's confirmation demands.
    private func verifyPossession(
        _ exchange: inout Exchange, _ route: Route, _ token: borrowing VerifiedToken, _ connection: ConnectionContext
    ) throws(Denial) -> VerifiedPossession {
        do {
            let possession = try PossessionVerifier.verify(
                token: token, peer: connection.peer, svidServesAsConfirmation: route.acceptsSVID,
                allowsSubjectMismatch: route.requirement.allowsSubjectMismatch)
            exchange.possession = possession.methods
            return possession
        } catch {
            throw Denial(.invalidToken, error.reason)
        }
    }
}
