import Bytes
import Configuration
import Cryptography
import HTTP
import Possession
import Tokens

/// Examines the DPoP proofs that requests carry: one per worker.
final class ProofExaminer {
    private let verifier: DPoPVerifier
    private let nonces: Nonces

    /// How long a nonce is given out; it is accepted as long again.
    private static let nonceInterval = Interval.seconds(120)

    init(engine: CryptographicEngine, memory: ProofMemory) {
        verifier = DPoPVerifier(engine: engine)
        nonces = Nonces(key: memory.nonceKey, interval: Self.nonceInterval, engine: engine)
    }

    /// The proof that the request's token demands, made for this very call.
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
        guard proof.issuedAt >= snapshot.proofsSince else { throw Denial(.invalidProof, "dpop.iat-past") }
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
            return try verifier.verify(
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
}
