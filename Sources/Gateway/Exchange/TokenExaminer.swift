import Bytes
import Cryptography
import HTTP
import Policy
import Tokens

/// The verified tokens of a request.
struct VerifiedCredentials: ~Copyable {
    /// The token that the request is judged by: the access token, or the workload token where it is alone.
    let token: VerifiedToken
    /// The workload token beside an access token.
    let workload: VerifiedToken?
}

/// Examines the tokens that requests bear: one per worker.
final class TokenExaminer {
    private let verifier: TokenVerifier

    /// The number of verified tokens that a worker remembers.
    private static let cacheCapacity = 8192

    /// What came of looking at the tokens of a request.
    enum Outcome: ~Copyable {
        case verified(VerifiedCredentials)
        case asks(Question)
    }

    init(engine: CryptographicEngine) {
        verifier = TokenVerifier(engine: engine, cacheCapacity: Self.cacheCapacity)
    }

    /// Verifies what the request bears: whose it is, that it is valid now, and through whom it came.
    func verify(
        _ presented: PresentedCredentials, of exchange: inout Exchange, for route: Route,
        on connection: ConnectionContext, under snapshot: EnforcementSnapshot, now: UnixTime
    ) throws(Denial) -> Outcome {
        var workload: VerifiedToken?
        if let credentials = presented.workload {
            do throws(TokenRejection) {
                workload = try verifier.verifyWorkload(
                    exchange.request.fields.value(credentials.token), among: snapshot.issuers,
                    subjectsWithin: connection.rules.subjectTrustDomains, now: now)
            } catch {
                exchange.reach(error)
                let token = exchange.request.fields.value(credentials.token)
                return .asks(
                    try question(for: error, of: token, .invalidWorkloadToken, asked: exchange.asked, snapshot))
            }
        }
        guard let credentials = presented.access else {
            guard let token = workload.take() else { throw Denial(.credentialsMissing, "credentials.missing") }
            return .verified(VerifiedCredentials(token: token, workload: nil))
        }
        do throws(TokenRejection) {
            let token = try verifier.verify(
                exchange.request.fields.value(credentials.line).extracting(credentials.token),
                after: Self.chain(of: presented, in: exchange), among: snapshot.issuers,
                subjectsWithin: connection.rules.subjectTrustDomains, introspectingFor: route.requirement.issuers,
                now: now)
            return .verified(VerifiedCredentials(token: token, workload: workload.take()))
        } catch {
            exchange.reach(error)
            guard error != .chainUnexpected else { throw Denial(.invalidRequest, error.reason) }
            let token = exchange.request.fields.value(credentials.line).extracting(credentials.token)
            return .asks(
                try question(
                    for: error, of: token, after: Self.chain(of: presented, in: exchange), .invalidToken,
                    asked: exchange.asked, snapshot))
        }
    }

    /// The tokens that the access token was made out of; empty where there are none.
    @_lifetime(borrow exchange)
    private static func chain(of presented: PresentedCredentials, in exchange: borrowing Exchange) -> Span<UInt8> {
        guard let line = presented.chain else { return Span() }
        return exchange.request.fields.value(line)
    }

    /// Takes in what an issuer said of a token.
    func learn(
        introspection body: Span<UInt8>, of token: Span<UInt8>, issuer: String, under snapshot: EnforcementSnapshot,
        now: UnixTime
    ) throws(TokenRejection) {
        guard let index = snapshot.issuers.issuers.firstIndex(where: { $0.issuer == issuer }) else { throw .issuer }
        try verifier.learn(introspection: body, of: token, issuer: index, among: snapshot.issuers, now: now)
    }

    /// What to ask where a token cannot be judged yet; where it can, or asking did not help, it is refused.
    private func question(
        for rejection: TokenRejection, of token: Span<UInt8>, after chain: Span<UInt8> = Span(), _ code: ProblemCode,
        asked: [Question], _ snapshot: EnforcementSnapshot
    ) throws(Denial) -> Question {
        if let question = Self.question(for: rejection, of: token, after: chain, snapshot), !asked.contains(question) {
            return question
        }
        throw Denial(rejection.isUnavailability ? .unavailable : code, rejection.reason)
    }

    private static func question(
        for rejection: TokenRejection, of token: Span<UInt8>, after chain: Span<UInt8>, _ snapshot: EnforcementSnapshot
    ) -> Question? {
        let issuers = snapshot.issuers.issuers
        switch rejection {
        case .keyUnknown(let issuer):
            return .keys(issuer: issuers[issuer].issuer, keyID: TokenVerifier.keyID(of: token, after: chain))
        case .keysMissing(let issuer):
            return .keys(issuer: issuers[issuer].issuer, keyID: nil)
        case .introspectionNeeded(let issuer):
            return .introspection(issuer: issuers[issuer].issuer, token: Array(copying: token))
        default:
            return nil
        }
    }
}

extension Exchange {
    /// A chain that does not hold is another thing than a token that is none, though both are found out at once.
    fileprivate mutating func reach(_ rejection: TokenRejection) {
        guard case .lineage(let fault) = rejection else { return }
        lineageFault = fault
        phase = .lineage
    }
}
