import Bytes
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
    /// The DPoP proof, where the token is bound to a key.
    let proof: VerifiedProof?

    fileprivate init(methods: PossessionMethods, proof: consuming VerifiedProof?) {
        self.methods = methods
        self.proof = proof
    }
}

/// Compares what a token demands with who is at the other end of the connection.
public enum PossessionVerifier {
    /// Verifies every confirmation that a token names, and its subject.
    ///
    /// All confirmations must hold (RFC 7800 §3.1, RFC 8705 §3): one that cannot be checked refuses the token, as does having
    /// none. Without a `cnf` claim the peer's SPIFFE ID confirms a token that names it, where the route lists `svid`.
    ///
    /// Beside that, a token about one workload is not for another: where both the peer's certificate and the token's
    /// subject bear a SPIFFE ID, the two must be the same.
    ///
    /// - Parameters:
    ///   - token: the token of the request.
    ///   - peer: who authenticated the connection, if anybody did. Headers never say that (RFC 8705 §3).
    ///   - proof: the DPoP proof of the request, where its token is bound to a key.
    ///   - rule: what the route lets serve.
    public static func verify(
        token: borrowing VerifiedToken, peer: VerifiedPeer?, proof: consuming VerifiedProof?, rule: PossessionRule
    ) throws(PossessionFailure) -> VerifiedPossession {
        let key: Digest256? =
            switch proof {
            case .some(let proof): proof.keyThumbprint
            case .none: nil
            }
        var methods = try methods(of: token.claims, peer: peer, rule: rule)
        methods.formUnion(try proven(token.claims.confirmations, by: key))
        return VerifiedPossession(methods: methods, proof: proof)
    }

    /// Checks what the connection alone can show, before anything is spent on a proof.
    public static func checkPeer(
        of token: borrowing VerifiedToken, peer: VerifiedPeer?, rule: PossessionRule
    ) throws(PossessionFailure) {
        _ = try methods(of: token.claims, peer: peer, rule: rule)
    }

    private static func methods(
        of claims: TokenClaims, peer: VerifiedPeer?, rule: PossessionRule
    ) throws(PossessionFailure) -> PossessionMethods {
        try methods(
            confirmations: claims.confirmations, subject: claims.subjectID, certificate: peer?.certificate.fingerprint,
            identity: peer?.spiffeID, rule: rule)
    }

    /// The same on plain values: the token's confirmations and subject, the peer's certificate and identity.
    static func methods(
        confirmations: Confirmations, subject: SPIFFEID?, certificate: Digest256?, identity: SPIFFEID?,
        rule: PossessionRule
    ) throws(PossessionFailure) -> PossessionMethods {
        guard !confirmations.demandsUnsupported else { throw .unsupported }
        var methods: PossessionMethods = []
        if let demanded = confirmations.certificate {
            guard let certificate else { throw .certificateMissing }
            guard certificate == demanded else { throw .certificateMismatch }
            methods.insert(.certificate)
        }
        if let subject, let identity {
            if subject == identity {
                methods.insert(.svid)
            } else if !rule.allowsSubjectMismatch {
                throw .subjectMismatch
            }
        }
        guard confirmations.isPresent else {
            guard rule.svidServesAsConfirmation, subject != nil else { throw .unbound }
            guard certificate != nil else { throw .certificateMissing }
            guard methods.contains(.svid) else { throw .unbound }
            return methods
        }
        return methods
    }

    /// What a proof by the key of that thumbprint shows, where the token names a key: `jkt` and `jwk` must both be it.
    static func proven(
        _ confirmations: Confirmations, by key: Digest256?
    ) throws(PossessionFailure) -> PossessionMethods {
        let demanded = [confirmations.key, confirmations.publicKey?.publicKey.thumbprint].compactMap(\.self)
        guard !demanded.isEmpty else { return [] }
        guard let key else { throw .proofMissing }
        guard demanded.allSatisfy({ $0 == key }) else { throw .keyMismatch }
        return .dpop
    }
}
