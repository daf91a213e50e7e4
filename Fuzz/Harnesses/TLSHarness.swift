import Bytes
import Cryptography
import Identity
import TLS

/// TLS records, and what nobody without a key may reach by any of them.
///
/// The first byte says what is fed, the second in pieces of which size, and the rest is fed: to a server or a client that
/// begins, to a server whose handshake is done, or as changes of what a true client says.
final class TLSHarness: Harness {
    private enum Scene: UInt8, CaseIterable {
        /// To a server: a client's first words and whatever follows.
        case hello
        /// To a client: what a hostile upstream answers.
        case answer
        /// To a server, behind a handshake: records that nobody has encrypted.
        case established
        /// Pairs of an offset and a byte: they change what the client says in its handshake.
        case changes
    }

    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let upstream = "spiffe://fuzz.test/upstream"
    private static let plaintext: StaticString = "GET / HTTP/1.1\r\n\r\n"

    private let server: TLSContext
    private let client: TLSContext
    private let agent: Digest256

    init() throws {
        let authority = try CertificateAuthority.make(
            commonName: "fuzz", validFor: Self.now - .seconds(3600)...Self.now + .seconds(3600))
        // Names as URIs only: a leak detector takes what Swift keeps of the other kinds for lost.
        func identity(_ name: String) throws -> ServerCertificate {
            let key = try PrivateKey.generate(.ellipticCurve(.p256))
            let leaf = try authority.issue(
                CertificateRequest(
                    publicKey: key.publicKey, commonName: name, uris: [name], notBefore: Self.now - .seconds(60),
                    notAfter: Self.now + .seconds(60)))
            return ServerCertificate(chain: [leaf], key: key)
        }
        let anchors = try TrustAnchors(trustDomain: "fuzz", certificates: [authority.certificate])
        let keys = TicketKeys(entropy: Array(0..<UInt8(TicketKeys.entropyByteCount)))
        server = try TLSContext(
            certificates: [identity(Self.upstream)], minimumVersion: .v12,
            applicationProtocols: [.h2, .http11], demand: .required, policy: AnyOfBundle(anchors),
            resumption: Resumption(keys: keys, scope: TLSScope()))
        let identity = try identity("spiffe://fuzz.test/agent")
        client = try TLSContext(
            trusting: anchors, identity: identity, expecting: .spiffe([SPIFFEID(Self.upstream.utf8.span)]),
            serverName: "localhost",
            applicationProtocols: [.http11])
        agent = identity.chain[0].facts.fingerprint
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard input.count >= 2, let scene = Scene(rawValue: input[0]) else { return false }
        let step = max(1, Int(input[1]))
        let bytes = Array(copying: input.extracting(2..<input.count))
        switch scene {
        case .hello: return try feedServer(bytes, step)
        case .answer: return try feedClient(bytes)
        case .established: return try feedEstablished(bytes, step)
        case .changes: return try changeHandshake(bytes, step)
        }
    }

    // MARK: Scenes

    /// What became of a session.
    private struct End: Equatable {
        let isOver: Bool
        let hasAnswered: Bool
        let serverName: String?
    }

    private func feedServer(_ bytes: [UInt8], _ step: Int) throws(Violation) -> Bool {
        let whole = try end(of: bytes, inPiecesOf: max(1, bytes.count))
        let pieces = try end(of: bytes, inPiecesOf: step)
        try demand(whole == pieces, "the pieces that bytes come in change nothing")
        return whole.hasAnswered && !whole.isOver
    }

    private func end(of bytes: [UInt8], inPiecesOf step: Int) throws(Violation) -> End {
        let wire = TLSWire()
        let session = try session { () throws(TLSError) in try TLSSession(server: server, wire: wire) }
        let plaintext = feed(bytes, step, to: session)
        try demand(plaintext == [], "nobody's plaintext is heard before the handshake is done")
        try demand(!session.isEstablished, "no handshake is done by bytes that were written down before")
        try demand(session.peerCertificate == nil, "nobody is known before the handshake is done")
        return End(
            isOver: session.isOver, hasAnswered: !wire.output.isEmpty, serverName: session.serverName)
    }

    private func feedClient(_ bytes: [UInt8]) throws(Violation) -> Bool {
        let wire = TLSWire()
        let session = try session { () throws(TLSError) in try TLSSession(client: client, wire: wire) }
        _ = session.start(now: Self.now)
        let plaintext = feed(bytes, max(1, bytes.count), to: session)
        try demand(plaintext == [] && !session.isEstablished, "no answer that was written down before is a handshake")
        try demand(session.serverCertificate == nil, "no server is known before the handshake is done")
        return !session.isOver
    }

    private func feedEstablished(_ bytes: [UInt8], _ step: Int) throws(Violation) -> Bool {
        let pair = try Pair(self)
        pair.run { $0 }
        try demand(pair.server.peerCertificate?.facts.fingerprint == agent, "an honest client is known")
        let plaintext = feed(bytes, step, to: pair.server)
        try demand(plaintext == [], "nothing is heard that the client has not encrypted")
        let isOver = pair.server.isOver
        try demand(!isOver || feed(bytes, step, to: pair.server) == [], "a session that is over hears nothing")
        return !isOver
    }

    private func changeHandshake(_ bytes: [UInt8], _ step: Int) throws(Violation) -> Bool {
        let pair = try Pair(self)
        var flight = 0
        pair.run { said in
            flight += 1
            var said = said
            // Triples: which flight, where (scaled to its length), and what to combine the byte with.
            for index in stride(from: 0, to: bytes.count - bytes.count % 3, by: 3)
            where Int(bytes[index]) % 4 == flight && !said.isEmpty {
                said[Int(bytes[index + 1]) * (said.count - 1) / 255] ^= bytes[index + 2]
            }
            return said
        }
        guard pair.server.isEstablished else {
            try demand(pair.server.peerCertificate == nil, "nobody is known before the handshake is done")
            return false
        }
        try demand(pair.server.peerCertificate?.facts.fingerprint == agent, "whoever is known has the key")
        guard pair.client.isEstablished else { return false }
        guard pair.client.send(Array(Self.plaintext.description.utf8).span) else { return false }
        let said = pair.clientWire.output.withReadable { Array(copying: $0) }
        let plaintext = feed(said, step, to: pair.server)
        try demand(plaintext == Array(Self.plaintext.description.utf8), "what is heard is what the client said")
        return true
    }

    // MARK: Feeding

    private func session(_ make: () throws(TLSError) -> TLSSession) throws(Violation) -> TLSSession {
        do throws(TLSError) { return try make() } catch { throw Violation(property: "a session can be made") }
    }

    private func feed(_ bytes: [UInt8], _ step: Int, to session: TLSSession) -> [UInt8] {
        var plaintext = ByteQueue()
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + step)
            _ = session.receive(bytes.span.extracting(start..<end), now: Self.now, into: &plaintext)
            start = end
        }
        return plaintext.withReadable { Array(copying: $0) }
    }

    /// A server and an honest client.
    private final class Pair {
        let serverWire = TLSWire()
        let clientWire = TLSWire()
        let server: TLSSession
        let client: TLSSession

        init(_ harness: TLSHarness) throws(Violation) {
            do throws(TLSError) {
                server = try TLSSession(server: harness.server, wire: serverWire)
                client = try TLSSession(client: harness.client, wire: clientWire)
            } catch {
                throw Violation(property: "a session can be made")
            }
        }

        /// Runs until neither has anything to say; `change` stands between the client and the server.
        func run(_ change: ([UInt8]) -> [UInt8]) {
            var plaintext = ByteQueue()
            _ = client.start(now: TLSHarness.now)
            while !clientWire.output.isEmpty || !serverWire.output.isEmpty {
                let said = change(clientWire.output.withReadable { Array(copying: $0) })
                clientWire.output.removeAll()
                if !said.isEmpty { _ = server.receive(said.span, now: TLSHarness.now, into: &plaintext) }
                let answered = serverWire.output.withReadable { Array(copying: $0) }
                serverWire.output.removeAll()
                if !answered.isEmpty { _ = client.receive(answered.span, now: TLSHarness.now, into: &plaintext) }
            }
        }
    }
}

/// Trusts one bundle, and says so of every certificate.
private final class AnyOfBundle: ClientCertificatePolicy {
    private let anchors: TrustAnchors

    init(_ anchors: TrustAnchors) {
        self.anchors = anchors
    }

    func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors { anchors }

    func contribute(to scope: inout TLSScope) {}
}
