import Bytes
import Cryptography
public import Identity
public import Tokens

/// Evidence that a request proved what its token demands of its bearer.
///
/// Only ``PossessionVerifier`` can make it. It does not say that the route accepts the proof: policy asks that.
public struct VerifiedPossession: ~Copyable {
    /// Every way of proof that holds; never empty.
    public let methods: PossessionMethods

    fileprivate init(methods: PossessionMethods) {
        self.methods = methods
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
    ///   - svidServesAsConfirmation: whether the route lists `svid`.
    ///   - allowsSubjectMismatch: whether the route lets a workload use a token about another one; such a token
    ///     still needs a confirmation, and `svid` is none then.
    public static func verify(
        token: borrowing VerifiedToken, peer: VerifiedPeer?, svidServesAsConfirmation: Bool, allowsSubjectMismatch: Bool
    ) throws(PossessionFailure) -> VerifiedPossession {
        let claims = token.claims
        let methods = try methods(
            confirmations: claims.confirmations, subject: claims.subjectID, certificate: peer?.certificate.fingerprint,
            identity: peer?.spiffeID, svidServesAsConfirmation: svidServesAsConfirmation,
            allowsSubjectMismatch: allowsSubjectMismatch)
        return VerifiedPossession(methods: methods)
    }

    /// The same on plain values: the token's confirmations and subject, the peer's certificate and identity.
    static func methods(
        confirmations: Confirmations, subject: SPIFFEID?, certificate: Digest256?, identity: SPIFFEID?,
        svidServesAsConfirmation: Bool, allowsSubjectMismatch: Bool
    ) throws(PossessionFailure) -> PossessionMethods {
        guard !confirmations.demandsUnsupported, confirmations.boundThumbprint == nil else { throw .unsupported }
        var methods: PossessionMethods = []
        if let demanded = confirmations.certificate {
            guard let certificate else { throw .certificateMissing }
            guard certificate == demanded else { throw .certificateMismatch }
            methods.insert(.certificate)
        }
        if let subject, let identity {
            if subject == identity {
                methods.insert(.svid)
            } else if !allowsSubjectMismatch {
                throw .subjectMismatch
            }
        }
        guard confirmations.isPresent else {
            guard svidServesAsConfirmation, subject != nil else { throw .unbound }
            guard certificate != nil else { throw .certificateMissing }
            guard methods.contains(.svid) else { throw .unbound }
            return methods
        }
        return methods
    }
}
