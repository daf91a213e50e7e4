public import Bytes
public import Cryptography
import Synchronization
public import TLS

/// What a client's certificate must be.
public enum IdentityMode: String, CaseIterable, Sendable {
    /// An X509-SVID of a listed trust domain.
    case spiffe
    /// Any certificate that chains to one of the bundles; a trust domain's name is only a label.
    case any
}

/// A client that has proven, in the handshake, to hold the key of a certificate that a trust domain vouches for.
///
/// Made once a connection, only by ``TrustDomainPolicy/peer(_:)`` in this file: holding one is the evidence. It does not
/// say that the certificate is still valid: ``isExpired(at:)`` is asked on every request.
public final class VerifiedPeer: Sendable {
    /// What the certificate says.
    public let certificate: CertificateFacts
    /// The trust domain, or label, whose anchors vouched for it.
    public let trustDomain: String
    /// The SPIFFE ID, where the certificate is an X509-SVID.
    public let spiffeID: SPIFFEID?
    /// The names under which it may be revoked: it is where any of them is.
    public let revocationNames: [RevocationName]

    fileprivate init(certificate: CertificateFacts, trustDomain: String, spiffeID: SPIFFEID?) {
        self.certificate = certificate
        self.trustDomain = trustDomain
        self.spiffeID = spiffeID
        var names = [
            RevocationName(.certificate, .certificate(certificate.fingerprint)),
            RevocationName(
                .certificate, .certificate(serial: certificate.serialNumber, issuer: certificate.issuer)),
        ]
        if let key = certificate.keyThumbprint { names.append(RevocationName(.key, .key(key))) }
        if let name = spiffeID?.text {
            names.append(RevocationName(.agent, .agent(name)))
            names.append(RevocationName(.chain, .chain(name)))
        }
        revocationNames = names
    }

    /// Whether the authorities of the SPIFFE ID's own trust domain vouched for it (X509-SVID §5.2): under ``IdentityMode/any``
    /// others may have.
    public var provesSPIFFEID: Bool { spiffeID.map { $0.trustDomain == trustDomain } ?? false }

    /// Whether the certificate's validity has passed (RFC 5280 §4.1.2.5: `notAfter` is the last valid moment).
    @inlinable public func isExpired(at now: UnixTime) -> Bool {
        now > certificate.notAfter
    }
}

/// The rules of one listener for client certificates: which anchors may vouch for whom.
public final class TrustDomainPolicy: ClientCertificatePolicy {
    private let mode: IdentityMode
    private let anchors: [String: TrustAnchors]
    private let joined: TrustAnchors?
    private let bundles: [(trustDomain: String, certificates: [Certificate])]
    private let revocations: (any PeerRevocations)?
    private let lists: Mutex<RevocationListTable>

    /// Makes the rules of a listener.
    ///
    /// - Parameters:
    ///   - mode: what certificates must be.
    ///   - bundles: the certificates that vouch for each trust domain.
    ///   - revocations: what is revoked, asked in each handshake; nothing: nothing is.
    ///   - lists: the revocation lists of the trust domains that have any.
    public init(
        mode: IdentityMode, bundles: [(trustDomain: String, certificates: [Certificate])],
        revocations: (any PeerRevocations)? = nil, lists: RevocationListTable = .none
    ) throws(TLSError) {
        self.mode = mode
        self.bundles = bundles
        self.revocations = revocations
        self.lists = Mutex(lists)
        var anchors: [String: TrustAnchors] = [:]
        for bundle in bundles {
            let made = try TrustAnchors(trustDomain: bundle.trustDomain, certificates: bundle.certificates)
            anchors[bundle.trustDomain] = made
        }
        self.anchors = anchors
        let all = bundles.flatMap(\.certificates)
        // Under `any` no certificate says which bundle is its own, so all of them may vouch for it.
        let label = bundles.count == 1 ? bundles[0].trustDomain : "any"
        joined = mode == .any ? try TrustAnchors(trustDomain: label, certificates: all) : nil
    }

    /// Names the anchors that alone may vouch for `leaf` (X509-SVID §5.2: those of *its* trust domain).
    ///
    /// Under `any` a bundle whose label is the trust domain of the leaf's SPIFFE ID is that domain's, and the only one that
    /// may vouch for it; every other certificate may be vouched for by any bundle.
    public func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors {
        if let joined {
            guard let identifier = try? X509SVID.identifier(of: leaf) else { return joined }
            return anchors[identifier.trustDomain] ?? joined
        }
        let identifier: SPIFFEID
        do { identifier = try X509SVID.identifier(of: leaf) } catch { throw CertificateRefusal(error.reason) }
        guard let anchors = anchors[identifier.trustDomain] else {
            throw CertificateRefusal("svid.foreign-trust-domain")
        }
        return anchors
    }

    /// Judges by these revocation lists from now on; from any thread.
    ///
    /// Clients that were let in before are not judged again by this: whoever holds their connections does so.
    public func adopt(lists: RevocationListTable) {
        self.lists.withLock { $0 = lists }
    }

    /// Refuses a client whose certificate is revoked, by a list of its trust domain or by any of its names, and one of whom
    /// a list should tell that and does not.
    public func admit(_ certificate: AuthenticatedCertificate, now: UnixTime) throws(CertificateRefusal) {
        let lists = lists.withLock { $0 }
        if !lists.isEmpty {
            for trustDomain in trustDomains(vouchingFor: certificate) {
                try lists[trustDomain]?.check(certificate, now: now)
            }
        }
        guard let revocations else { return }
        try revocations.check(try peer(certificate).revocationNames, now: now)
    }

    /// The trust domains whose authorities vouched: under `any` all whose bundle holds the anchor.
    private func trustDomains(vouchingFor certificate: AuthenticatedCertificate) -> [String] {
        guard mode == .any else { return [certificate.trustDomain] }
        let anchor = certificate.path.last?.fingerprint
        return bundles.filter { bundle in bundle.certificates.contains { $0.facts.fingerprint == anchor } }
            .map(\.trustDomain)
    }

    /// Adds the mode, and each trust domain with the authorities that may vouch for it and whether it has revocation lists.
    public func contribute(to scope: inout TLSScope) {
        scope.add("identity", mode.rawValue)
        for bundle in bundles {
            scope.add("trust domain", bundle.trustDomain)
            if lists.withLock({ $0[bundle.trustDomain] }) != nil { scope.add("revocation lists", bundle.trustDomain) }
            for certificate in bundle.certificates { scope.add("authority", certificate.facts.fingerprint) }
        }
    }

    /// Admits a client whose certificate path was validated: the only mint of ``VerifiedPeer``.
    public func peer(_ certificate: AuthenticatedCertificate) throws(CertificateRefusal) -> VerifiedPeer {
        let identifier: SPIFFEID?
        do { identifier = try X509SVID.identifier(of: certificate.facts) } catch {
            guard mode == .any else { throw CertificateRefusal(error.reason) }
            identifier = nil
        }
        if mode == .spiffe, identifier?.trustDomain != certificate.trustDomain {
            throw CertificateRefusal("svid.foreign-trust-domain")
        }
        return VerifiedPeer(
            certificate: certificate.facts, trustDomain: certificate.trustDomain, spiffeID: identifier)
    }
}
