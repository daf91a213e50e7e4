import Bytes
import Configuration
import Cryptography
import HTTP
import Possession
import Tokens

/// Examines the proofs that requests carry: one per worker.
final class ProofExaminer {
    private let dpop: DPoPVerifier
    private let wpt: WPTVerifier
    private let nonces: Nonces

    /// How long a nonce is given out; it is accepted as long again.
    private static let nonceInterval = Interval.seconds(120)

    init(engine: CryptographicEngine, memory: ProofMemory) {
        dpop = DPoPVerifier(engine: engine)
        wpt = WPTVerifier(engine: engine)
        nonces = Nonces(key: memory.nonceKey, interval: Self.nonceInterval, engine: engine)
    }

    // MARK: DPoP

    /// The proof that the request's access token demands, made for this very call.
    func proof(
        in exchange: inout Exchange, of credentials: Credentials, boundKey: Digest256,
        under snapshot: EnforcementSnapshot, now: UnixTime
    ) throws(Denial) -> VerifiedProof {
        guard let line = exchange.request.fields.firstIndex(of: .dpop) else {
            throw Denial(.invalidProof, "dpop.missing")
        }
        // RFC 9449 §7.2: who takes such a token for a bearer token may have lost it.
        guard credentials.scheme == .dpop else { throw Denial(.invalidToken, "credentials.bound-token-as-bearer") }
        let proof = try verify(exchange, line, credentials, boundKey, snapshot, now)
        if snapshot.possession.requiresNonce { try checkNonce(proof, of: &exchange, now) }
        return proof
    }

    private func verify(
        _ exchange: borrowing Exchange, _ line: Int, _ credentials: Credentials, _ boundKey: Digest256,
        _ snapshot: EnforcementSnapshot, _ now: UnixTime
    ) throws(Denial) -> VerifiedProof {
        let authorization = exchange.request.fields.value(credentials.line)
        let expectation = DPoPExpectation(
            method: exchange.request.method.readable, origins: exchange.origin?.targets ?? [],
            path: exchange.target.path, token: authorization.extracting(credentials.token), boundKey: boundKey)
        do throws(DPoPRejection) {
            return try dpop.verify(
                exchange.request.fields.value(line), for: expectation, under: snapshot.possession.dpop, now: now)
        } catch {
            // RFC 9449 §7.1: another key than the token's is a fault of the token's binding.
            throw Denial(error == .keyBinding ? .invalidToken : .invalidProof, error.reason)
        }
    }

    private func checkNonce(
        _ proof: borrowing VerifiedProof, of exchange: inout Exchange, _ now: UnixTime
    ) throws(Denial) {
        let verdict = proof.nonce.map { nonces.check($0.span, at: now) } ?? .invalid
        guard verdict != .valid else { return }
        exchange.freshNonce = nonces.issue(at: now)
        guard verdict == .validButRenew else {
            throw Denial(.nonceRequired, proof.nonce == nil ? "dpop.nonce-missing" : "dpop.nonce-unknown")
        }
    }

    // MARK: Workload proofs

    /// The proof that a workload token demands, made for this very call.
    ///
    /// - Parameters:
    ///   - exchange: the call.
    ///   - presented: where its credentials lie.
    ///   - claims: those of the workload token.
    ///   - snapshot: what is decided by.
    ///   - now: the time.
    func workloadProof(
        in exchange: borrowing Exchange, _ presented: PresentedCredentials, _ claims: TokenClaims,
        under snapshot: EnforcementSnapshot, now: UnixTime
    ) throws(Denial) -> VerifiedWorkloadProof? {
        guard let credentials = presented.workload else { return nil }
        guard let key = claims.confirmations.publicKey else {
            throw Denial(.invalidWorkloadToken, "wpt.unbound")
        }
        let fields = FieldView(exchange.request)
        guard exchange.request.fields.lineCount(of: .txnToken) < 2 else {
            throw Denial(.invalidWorkloadToken, "wpt.two-txn-tokens")
        }
        let expectation = WPTExpectation(
            origins: exchange.origin?.targets ?? [], path: exchange.target.path,
            aliases: snapshot.issuers.issuers[claims.issuerIndex].audiences,
            workloadToken: exchange.request.fields.value(credentials.token),
            accessToken: Self.accessToken(in: exchange, presented),
            transactionToken: Self.transactionToken(in: exchange),
            boundKey: key)
        do throws(WPTRejection) {
            return try wpt.verify(
                exchange.request.fields.value(credentials.proof), for: expectation,
                under: snapshot.possession.workloadProof, now: now, otherToken: { fields.onlyValue(of: $0) })
        } catch {
            throw Denial(.invalidWorkloadToken, error.reason)
        }
    }

    @_lifetime(borrow exchange)
    private static func accessToken(
        in exchange: borrowing Exchange, _ presented: PresentedCredentials
    ) -> Span<UInt8>? {
        guard let access = presented.access else { return nil }
        return exchange.request.fields.value(access.line).extracting(access.token)
    }

    @_lifetime(borrow exchange)
    private static func transactionToken(in exchange: borrowing Exchange) -> Span<UInt8>? {
        guard let line = exchange.request.fields.firstIndex(of: .txnToken) else { return nil }
        return exchange.request.fields.value(line)
    }
}

/// The fields of a request by name, as copies: for the rare proof that speaks of further fields.
private struct FieldView {
    private let lines: [(name: [UInt8], value: [UInt8])]

    init(_ request: borrowing RequestHead) {
        var lines: [(name: [UInt8], value: [UInt8])] = []
        for index in 0..<request.fields.count {
            lines.append((Array(copying: request.fields.name(index)), Array(copying: request.fields.value(index))))
        }
        self.lines = lines
    }

    func onlyValue(of name: Span<UInt8>) -> [UInt8]? {
        let matching = lines.filter { name.equals($0.name.span) }
        return matching.count == 1 ? matching[0].value : nil
    }
}
