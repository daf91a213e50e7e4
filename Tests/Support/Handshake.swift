import Bytes
import Cryptography
public import Identity
public import TLS

/// A handshake in memory, for the one thing that only a handshake makes: a verified peer.
public struct Handshake: Sendable {
    private static let now = UnixTime(seconds: 1_800_000_000)
    /// From 2020 to 2050: the client's side compares with the clock of the machine.
    private static let validity = UnixTime(seconds: 1_577_836_800)...UnixTime(seconds: 2_524_608_000)

    private let authority: CertificateAuthority

    /// Makes the authority of both sides.
    public init() throws {
        authority = try CertificateAuthority.make(
            commonName: "test", uri: nil, validFor: Self.validity)
    }

    /// The peer that a server sees when a client with a certificate of these URIs connects.
    public func peer(
        uris: [String], mode: IdentityMode = .spiffe, label: String = "example.test"
    ) throws -> VerifiedPeer? {
        let policy = try TrustDomainPolicy(
            mode: mode, bundles: [(trustDomain: label, certificates: [authority.certificate])])
        let serverContext = try TLSContext(
            certificates: [identity(dnsNames: ["localhost"])], minimumVersion: .v13,
            applicationProtocols: [.http11], demand: .required, policy: policy)
        let anchors = try TrustAnchors(trustDomain: "servers", certificates: [authority.certificate])
        let clientContext = try TLSContext(
            trusting: anchors, identity: identity(uris: uris), applicationProtocols: [.http11])
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

    /// A certificate of that authority, with a new key, for some names.
    public func identity(uris: [String] = [], dnsNames: [String] = []) throws -> ServerCertificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let certificate = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "leaf", uris: uris, dnsNames: dnsNames,
                notBefore: Self.validity.lowerBound, notAfter: Self.validity.upperBound))
        return ServerCertificate(chain: [certificate], key: key)
    }
}
