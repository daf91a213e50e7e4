import Bytes
import Cryptography
import TLS

/// The client's side of a TLS connection over a blocking socket.
final class TLSStream {
    private let socket: BlockingSocket
    private let wire = TLSWire()
    private let session: TLSSession
    private var plaintext = ByteQueue()
    private var isOver = false

    /// Shakes hands with `host`, whose certificate must come from `authority`.
    init(
        _ socket: BlockingSocket, trusting authority: [Certificate], identity: ServerCertificate?, host: String
    ) throws {
        self.socket = socket
        do throws(TLSError) {
            let anchors = try TrustAnchors(trustDomain: "gateway", certificates: authority)
            let context = try TLSContext(trusting: anchors, identity: identity, applicationProtocols: [.http11])
            session = try TLSSession(client: context, wire: wire, host: host)
        } catch {
            throw CommandFailure.couldNotRun("TLS cannot be set up (\(error)); make a new set-up and agent")
        }
        try advance(session.start(now: SystemClock.now))
        while !session.isEstablished {
            guard try receive() else {
                throw CommandFailure.refused("the gateway closed the connection during the TLS handshake")
            }
        }
    }

    /// Sends all bytes; a peer that has gone shows when its answer is read.
    func write(_ bytes: [UInt8]) throws {
        _ = session.send(bytes.span)
        flush()
    }

    /// What has come, at least one byte; empty at the end.
    func read() throws -> [UInt8] {
        while plaintext.isEmpty {
            guard !isOver, try receive() else { return [] }
        }
        defer { plaintext.removeAll() }
        return Array(copying: plaintext.readable)
    }

    private func receive() throws -> Bool {
        let ciphertext: [UInt8]
        do throws(BlockingSocket.Failure) {
            ciphertext = try socket.read()
        } catch {
            throw CommandFailure.refused("the connection to the gateway broke (\(error.reason)); see its log")
        }
        guard !ciphertext.isEmpty else { return false }
        try advance(session.receive(ciphertext.span, now: SystemClock.now, into: &plaintext))
        return true
    }

    private func advance(_ outcome: TLSSession.Outcome) throws {
        flush()
        switch outcome {
        case .proceeded, .established: break
        case .ended: isOver = true
        case .failed(let error):
            let reason = error.description
            if reason.contains("certificate verify failed") {
                throw CommandFailure.couldNotRun(
                    "the gateway's certificate is not of the given authority or not for this host (\(reason))")
            }
            throw CommandFailure.refused("the gateway refused the TLS connection (\(reason)); see its audit log")
        }
    }

    private func flush() {
        // What cannot be sent shows when reading: an alert may explain it.
        var ciphertext = ByteQueue()
        swap(&ciphertext, &wire.output)
        try? socket.write(ciphertext.readable)
    }
}
