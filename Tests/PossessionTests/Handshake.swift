import Bytes
import Cryptography
import Identity
import TLS

/// A handshake in memory, for the one thing that only a handshake makes: a verified peer.
struct Handshake {
    static let now = UnixTime(seconds: 1_800_000_000)

    private let authority: CertificateAuthority

    init() throws {
        authority = try CertificateAuthority.make(
            commonName: "test", uri: nil, validFor: Self.now - .seconds(3600)...Self.now + .seconds(86_400))
    }

    /// The peer that a server sees when a client with a certificate of these URIs connects.
    func peer(uris: [String], mode: IdentityMode = .spiffe) throws -> VerifiedPeer? {
        let policy = try TrustDomainPolicy(
            mode: mode, bundles: [(trustDomain: "example.test", certificates: [authority.certificate])])
        let serverContext = try TLSContext(
            certificates: [identity(uris: [], dnsNames: ["localhost"])], minimumVersion: .v13,
            applicationProtocols: [.http11], demand: .required, policy: policy)
        let anchors = try TrustAnchors(trustDomain: "servers", certificates: [authority.certificate])
        let clientContext = try TLSContext(
            trusting: anchors, identity: identity(uris: uris, dnsNames: []), applicationProtocols: [.http11])
        let (serverWire, clientWire) = (TLSWire(), TLSWire())
        let server = try TLSSession(server: serverContext, wire: serverWire)
        let client = try TLSSession(client: clientContext, wire: clientWire, host: "localhost")
        var plaintext = ByteQueue()
        _ = client.start(now: Self.now)
        while !clientWire.output.isEmpty || !serverWire.output.isEmpty {
            let fromClient = clientWire.output.withReadable { Array(copying: $0) }
            clientWire.output.removeAll()
            if !fromClient.isEmpty { _ = server.receive(fromClient.span, now: Self.now, into: &plaintext) }
            let fromServer = serverWire.output.withReadable { Array(copying: $0) }
            serverWire.output.removeAll()
            if !fromServer.isEmpty { _ = client.receive(fromServer.span, now: Self.now, into: &plaintext) }
        }
        return try server.peerCertificate.map { try policy.peer($0) }
    }

    private func identity(uris: [String], dnsNames: [String]) throws -> ServerCertificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let certificate = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "test", uris: uris, dnsNames: dnsNames,
                notBefore: Self.now - .seconds(60), notAfter: Self.now + .seconds(3600)))
        return ServerCertificate(chain: [certificate], key: key)
    }
}
