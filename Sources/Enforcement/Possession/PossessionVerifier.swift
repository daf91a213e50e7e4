public import Bytes
import Cryptography
public import Identity
public import Tokens

/// Evidence that a request proved what its token demands of its bearer.
///
/// Only ``PossessionVerifier`` can make it. It does not say that the route accepts the proof: policy asks that; nor that a proof
/// is used for the first time: ``ReplayTable`` says that.
public struct VerifiedPossession: ~Copyable {
    /// Every way of proof that holds; never empty.
    public let methods: PossessionMethods
    /// The DPoP proof, if there is one.
    let proof: VerifiedProof?
    /// The Workload Proof Token, if there is one.
    let workloadProof: VerifiedWorkloadProof?

    fileprivate init(
        methods: PossessionMethods, proof: consuming VerifiedProof?, workloadProof: consuming VerifiedWorkloadProof?
    ) {
        self.methods = methods
        self.proof = proof
        self.workloadProof = workloadProof
    }
}

/// Compares what a token demands with who is at the other end of the connection, and with the proofs of the request.
public enum PossessionVerifier {
    /// Verifies every confirmation that a token names, and whose it is.
    ///
    /// All confirmations must hold (RFC 7800 §3.1, RFC 8705 §3): one that cannot be checked refuses the token, as does having
    /// none. Without a `cnf` claim the peer's SPIFFE ID confirms a token that names it, where the route lists `svid`.
    ///
    /// Beside that, a token about one workload is not for another: where both the peer's certificate and the token's agent
    /// (who acts for its subject, or the subject itself: RFC 8693 §4.1) bear a SPIFFE ID, the two must be the same.
    ///
    /// - Parameters:
    ///   - token: the token of the request.
    ///   - peer: who authenticated the connection, if anybody did. Headers never say that (RFC 8705 §3).
    ///   - proof: the DPoP proof of the request, where its token is bound to a key.
    ///   - workloadProof: the Workload Proof Token of the request, for the token or for a workload token beside it.
    ///   - rule: what the route lets serve.
    public static func verify(
        token: borrowing VerifiedToken, peer: VerifiedPeer?, proof: consuming VerifiedProof?,
        workloadProof: consuming VerifiedWorkloadProof?, rule: PossessionRule
    ) throws(PossessionFailure) -> VerifiedPossession {
        let key: Digest256? =
            switch proof {
            case .some(let proof): proof.keyThumbprint
            case .none: nil
            }
        let workloadKey: Digest256? =
            switch workloadProof {
            case .some(let proof): proof.keyThumbprint
            case .none: nil
            }
        var methods = try methods(of: token.claims, peer: peer, rule: rule)
        methods.formUnion(try proven(token.claims.confirmations, by: key, workloadKey: workloadKey))
        if workloadKey != nil { methods.insert(.wpt) }
        return VerifiedPossession(methods: methods, proof: proof, workloadProof: workloadProof)
    }

    /// Checks what the connection alone can show, before anything is spent on a proof.
    public static func checkPeer(
        _ claims: TokenClaims, peer: VerifiedPeer?, rule: PossessionRule
    ) throws(PossessionFailure) {
        _ = try methods(of: claims, peer: peer, rule: rule)
    }

    /// Checks that a workload token beside an access token does not speak of somebody else than that, or than the peer.
    public static func checkSubject(
        _ claims: TokenClaims, beside access: TokenClaims, peer: VerifiedPeer?, rule: PossessionRule
    ) throws(PossessionFailure) {
        guard let agent = claims.agentID, !rule.allowsSubjectMismatch else { return }
        for other in [access.agentID, peer?.spiffeID] {
            if let other, other != agent { throw .subjectMismatch }
        }
    }

    private static func methods(
        of claims: TokenClaims, peer: VerifiedPeer?, rule: PossessionRule
    ) throws(PossessionFailure) -> PossessionMethods {
        try methods(
            confirmations: claims.confirmations, agent: claims.agentID, certificate: peer?.certificate.fingerprint,
            identity: peer?.spiffeID, isProven: peer?.provesSPIFFEID ?? false, rule: rule)
    }

    /// The same on plain values: the token's confirmations and agent, the peer's certificate and identity.
    static func methods(
        confirmations: Confirmations, agent: SPIFFEID?, certificate: Digest256?, identity: SPIFFEID?,
        isProven: Bool, rule: PossessionRule
    ) throws(PossessionFailure) -> PossessionMethods {
        guard !confirmations.demandsUnsupported else { throw .unsupported }
        var methods: PossessionMethods = []
        if let demanded = confirmations.certificate {
            guard let certificate else { throw .certificateMissing }
            guard certificate == demanded else { throw .certificateMismatch }
            methods.insert(.certificate)
        }
        if let agent, let identity {
            if agent == identity {
                if isProven { methods.insert(.svid) }
            } else if !rule.allowsSubjectMismatch {
                throw .subjectMismatch
            }
        }
        guard confirmations.isPresent else {
            guard rule.svidServesAsConfirmation, agent != nil else { throw .unbound }
            guard certificate != nil else { throw .certificateMissing }
            guard methods.contains(.svid) else { throw .unbound }
            return methods
        }
        return methods
    }

    /// What proofs by the keys of those thumbprints show, where the token names a key: `jkt` and `jwk` must both hold.
    static func proven(
        _ confirmations: Confirmations, by key: Digest256?, workloadKey: Digest256?
    ) throws(PossessionFailure) -> PossessionMethods {
        guard let demanded = confirmations.keyToProve(having: workloadKey) else { return [] }
        guard let key else { throw .proofMissing }
        guard demanded == key else { throw .keyMismatch }
        // Both named: both must be that key.
        if let whole = confirmations.publicKey, whole.publicKey.thumbprint != key { throw .keyMismatch }
        return .dpop
    }
}

extension Confirmations {
    /// The thumbprint of the key that a DPoP proof must be made with; nothing where none is needed.
    ///
    /// `jkt` is for DPoP alone (RFC 9449 §6.1); a key that stands there whole may be proven by a Workload Proof Token too.
    public func keyToProve(having workloadKey: Digest256?) -> Digest256? {
        if let key { return key }
        guard let whole = publicKey?.publicKey.thumbprint else { return nil }
        return whole == workloadKey ? nil : whole
    }
}
