import Bytes
import Cryptography
import Identity
import Support
@_spi(Explanation) import TLS
import Testing

/// Says that what it was given is revoked.
private struct Revoked: PeerRevocations {
    let keys: [RevocationKey]

    func check(_ names: [RevocationName], now: UnixTime) throws(CertificateRefusal) {
        for name in names where keys.contains(name.key) {
            throw CertificateRefusal("revocation.\(name.level.rawValue)")
        }
    }
}

@Suite("Who is revoked in a handshake")
struct TrustDomainPolicyTests {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let validity = now - .seconds(3600)...now + .seconds(86_400)
    private let root: CertificateAuthority
    private let between: CertificateAuthority

    init() throws {
        root = try CertificateAuthority.make(commonName: "root", validFor: Self.validity)
        between = try Self.authority("between", under: root)
    }

    private static func authority(
        _ name: String, under issuer: CertificateAuthority, usage: KeyUsage.Purposes = [.keyCertSign, .crlSign]
    ) throws -> CertificateAuthority {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let request = CertificateRequest(
            publicKey: key.publicKey, commonName: name, notBefore: validity.lowerBound,
            notAfter: validity.upperBound, isCertificateAuthority: true, keyUsage: KeyUsage(usage),
            extendedKeyUsages: nil)
        return CertificateAuthority(certificate: try issuer.issue(request), key: key)
    }

    private func leaf(of authority: CertificateAuthority) throws -> Certificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        return try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, uris: ["spiffe://example.test/agent"],
                notBefore: Self.validity.lowerBound, notAfter: Self.validity.upperBound))
    }

    private func list(
        _ name: String, of authority: CertificateAuthority, _ revoked: [Certificate] = [],
        until end: UnixTime = now + .seconds(600)
    ) throws -> CertificateRevocationList {
        var maker = RevocationListMaker(authority, name: name, validFor: Self.now - .seconds(3600)...end)
        maker.entries = revoked.map { RevocationListMaker.entry($0.facts.serialNumber) }
        return try maker.list()
    }

    private func table(
        _ lists: [CertificateRevocationList], deniesWhenStale: Bool = true, domain: String = "example.test"
    ) -> RevocationListTable {
        RevocationListTable([domain: TrustDomainLists(lists, deniesWhenStale: deniesWhenStale)])
    }

    /// Why a client is refused, or nothing.
    private func refusal(
        _ chain: [Certificate], mode: IdentityMode = .spiffe, revocations: Revoked? = nil,
        lists: RevocationListTable = .none, bundles: [(trustDomain: String, certificates: [Certificate])]? = nil
    ) throws -> String? {
        let bundles = bundles ?? [(trustDomain: "example.test", certificates: [root.certificate])]
        let policy = try TrustDomainPolicy(mode: mode, bundles: bundles, revocations: revocations, lists: lists)
        return refusal(chain, by: policy)
    }

    private func refusal(_ chain: [Certificate], by policy: TrustDomainPolicy) -> String? {
        do throws(CertificateRefusal) {
            _ = try AuthenticatedCertificate.assumingPossession(of: chain, policy: policy, now: Self.now)
            return nil
        } catch {
            return error.reason
        }
    }

    // MARK: Revocations

    @Test("A client is revoked by any of its names")
    func names() throws {
        let leaf = try leaf(of: root)
        let facts = leaf.facts
        let thumbprint = try #require(facts.keyThumbprint)
        let cases: [(RevocationKey, String)] = [
            (.agent("spiffe://example.test/agent"), "revocation.agent"),
            (.chain("spiffe://example.test/agent"), "revocation.chain"),
            (.certificate(facts.fingerprint), "revocation.certificate"),
            (.certificate(serial: facts.serialNumber.uppercased(), issuer: "CN = Root"), "revocation.certificate"),
            (.key(thumbprint), "revocation.key"),
        ]
        for (key, reason) in cases {
            #expect(try refusal([leaf], revocations: Revoked(keys: [key])) == reason)
        }
        #expect(try refusal([leaf], revocations: Revoked(keys: [.agent("spiffe://example.test/other")])) == nil)
    }

    @Test("The thumbprint of a certificate's key is that of the key as JWK")
    func thumbprint() throws {
        let key = try PrivateKey.generate(.ed25519)
        let certificate = try root.issue(
            CertificateRequest(
                publicKey: key.publicKey, notBefore: Self.validity.lowerBound, notAfter: Self.validity.upperBound))
        #expect(certificate.facts.keyThumbprint == key.publicKey.thumbprint)
        #expect(certificate.facts.issuer == "CN=root")
    }

    // MARK: Lists

    @Test("A listed client is refused, another is not")
    func listed() throws {
        let (bad, good) = (try leaf(of: root), try leaf(of: root))
        let lists = table([try list("root", of: root, [bad])])
        #expect(try refusal([bad], lists: lists) == "certificate.revoked")
        #expect(try refusal([good], lists: lists) == nil)
        #expect(try refusal([bad]) == nil)
    }

    @Test("Lists that are taken over later count at once")
    func adopted() throws {
        let leaf = try leaf(of: root)
        let policy = try TrustDomainPolicy(
            mode: .spiffe, bundles: [(trustDomain: "example.test", certificates: [root.certificate])])
        #expect(refusal([leaf], by: policy) == nil)
        policy.adopt(lists: table([try list("root", of: root, [leaf])]))
        #expect(refusal([leaf], by: policy) == "certificate.revoked")
        policy.adopt(lists: table([try list("root", of: root)]))
        #expect(refusal([leaf], by: policy) == nil)
    }

    @Test("A client whom no list of its issuer is about is refused")
    func uncovered() throws {
        let leaf = try leaf(of: root)
        let stranger = try CertificateAuthority.make(commonName: "root", validFor: Self.validity)
        #expect(try refusal([leaf], lists: table([])) == "certificate.crl-missing")
        #expect(try refusal([leaf], lists: table([list("other", of: root)])) == "certificate.crl-missing")
        #expect(try refusal([leaf], lists: table([list("root", of: stranger)])) == "certificate.crl-missing")
        #expect(try refusal([leaf], lists: table([list("ROOT", of: root)])) == nil)
        var part = RevocationListMaker(root, name: "root", validFor: Self.validity)
        part.extensions = [RevocationListMaker.scope(RevocationListMaker.point("http://ca.example/1.crl"))]
        #expect(try refusal([leaf], lists: table([part.list()])) == "certificate.crl-missing")
        // Nothing was heard yet: what is stale is let by where that is wanted, what is not covered is not.
        #expect(try refusal([leaf], lists: table([], deniesWhenStale: false)) == nil)
        #expect(
            try refusal([leaf], lists: table([list("other", of: root)], deniesWhenStale: false))
                == "certificate.crl-missing")
    }

    @Test("An authority that may not sign lists covers nobody")
    func mayNotSign() throws {
        let mute = try Self.authority("mute", under: root, usage: [.keyCertSign])
        let leaf = try leaf(of: mute)
        let lists = table([try list("mute", of: mute)])
        #expect(try refusal([leaf, mute.certificate], lists: lists) == "certificate.crl-missing")
        let client = try self.leaf(of: between)
        #expect(try refusal([client, between.certificate], lists: table([list("between", of: between)])) == nil)
    }

    @Test("While the list has expired every client is refused, unless that is allowed")
    func expired() throws {
        let (bad, good) = (try leaf(of: root), try leaf(of: root))
        let old = try list("root", of: root, [bad], until: Self.now - .seconds(1))
        #expect(try refusal([good], lists: table([old])) == "certificate.crl-expired")
        #expect(try refusal([bad], lists: table([old])) == "certificate.revoked")
        #expect(try refusal([good], lists: table([old], deniesWhenStale: false)) == nil)
        #expect(try refusal([bad], lists: table([old], deniesWhenStale: false)) == "certificate.revoked")
        #expect(try refusal([good], lists: table([old, list("root", of: root)])) == nil)
        #expect(try refusal([good], lists: table([list("root", of: root, until: Self.now)])) == nil)
    }

    @Test("Authorities between are judged too, where there is a list about them")
    func intermediates() throws {
        let chain = [try leaf(of: between), between.certificate]
        let own = try list("between", of: between)
        #expect(try refusal(chain, lists: table([own])) == nil)
        #expect(try refusal(chain, lists: table([own, list("root", of: root)])) == nil)
        #expect(
            try refusal(chain, lists: table([own, list("root", of: root, [between.certificate])]))
                == "certificate.revoked")
        #expect(
            try refusal(chain, lists: table([own, list("root", of: root, until: Self.now - .seconds(1))]))
                == "certificate.crl-expired")
        #expect(try refusal(chain, lists: table([list("root", of: root)])) == "certificate.crl-missing")
    }

    @Test("The lists of one trust domain say nothing of another's clients")
    func domains() throws {
        let leaf = try leaf(of: root)
        let lists = table([try list("root", of: root, [leaf])], domain: "other.test")
        #expect(try refusal([leaf], lists: lists) == nil)
    }

    @Test("Where any certificate is let in, the bundle that vouched says whose lists count")
    func anyIdentity() throws {
        let other = try CertificateAuthority.make(commonName: "other", validFor: Self.validity)
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        func plain(_ authority: CertificateAuthority) throws -> Certificate {
            try authority.issue(
                CertificateRequest(
                    publicKey: key.publicKey, commonName: "plain", notBefore: Self.validity.lowerBound,
                    notAfter: Self.validity.upperBound))
        }
        let (ours, theirs) = (try plain(root), try plain(other))
        let bundles = [
            (trustDomain: "ours", certificates: [root.certificate]),
            (trustDomain: "theirs", certificates: [other.certificate]),
        ]
        let lists = table([try list("root", of: root, [ours])], domain: "ours")
        #expect(try refusal([ours], mode: .any, lists: lists, bundles: bundles) == "certificate.revoked")
        #expect(try refusal([theirs], mode: .any, lists: lists, bundles: bundles) == nil)
        let missing = table([], domain: "theirs")
        #expect(try refusal([theirs], mode: .any, lists: missing, bundles: bundles) == "certificate.crl-missing")
        #expect(try refusal([ours], mode: .any, lists: missing, bundles: bundles) == nil)
    }

    @Test("What tickets are bound to, and clients are judged anew for, changes where lists are wanted")
    func scope() throws {
        func digest(_ lists: RevocationListTable) throws -> Digest256 {
            let bundles = [(trustDomain: "example.test", certificates: [root.certificate])]
            var scope = TLSScope()
            try TrustDomainPolicy(mode: .spiffe, bundles: bundles, lists: lists).contribute(to: &scope)
            return try scope.digest()
        }
        let none = try digest(.none)
        #expect(try digest(table([])) != none)
        #expect(try digest(table([list("root", of: root)])) == digest(table([])))
    }

    @Test("A list that its named issuer has not signed is told apart from one of an unknown issuer")
    func forged() throws {
        let stranger = try CertificateAuthority.make(commonName: "root", validFor: Self.validity)
        let sound = try list("root", of: root)
        let forged = try list("root", of: stranger)
        #expect(!sound.isForged(among: [root.certificate]))
        #expect(forged.isForged(among: [root.certificate]))
        #expect(!forged.isForged(among: [root.certificate, stranger.certificate]))
        #expect(!forged.isForged(among: [between.certificate]))
        var named = RevocationListMaker(stranger, name: "root", validFor: Self.validity)
        let identifier = try #require(stranger.certificate.subjectKeyIdentifier)
        named.extensions = [RevocationListMaker.extended(35, DER.sequence(DER.value(0x80, identifier)))]
        // Another key of that name, as while an authority changes its key.
        #expect(try !named.list().isForged(among: [root.certificate]))
    }
}
