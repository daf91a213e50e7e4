import Bytes
import Cryptography
import Reactor
import Synchronization
import TLS

/// What the thread of a ``TrialServer`` runs.
final class TrialServerLoop {
    /// What others ask of it.
    enum Order: Sendable {
        case stop
    }

    private final class Connection {
        let number: Int
        let socket: Socket
        let session: TLSSession?
        var plaintext = ByteQueue()
        var output = ByteQueue()
        var isEnding = false

        init(number: Int, socket: consuming Socket, session: TLSSession?) {
            self.number = number
            self.socket = socket
            self.session = session
        }
    }

    private final class NoClients: ClientCertificatePolicy {
        func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors {
            throw CertificateRefusal("nobody")
        }

        func contribute(to scope: inout TLSScope) {}
    }

    private let handler: TrialServer.Handler
    private let record: TrialServer.Record
    private let context: TLSContext?
    private let isCapturing: Bool
    private let wire = TLSWire()
    private var connections: [Int: Connection] = [:]
    private var lastNumber = 1

    init(_ carriage: TrialServer.Carriage, handler: @escaping TrialServer.Handler, record: TrialServer.Record) throws {
        self.handler = handler
        self.record = record
        if case .captured = carriage { isCapturing = true } else { isCapturing = false }
        guard case .tls(let identity) = carriage else {
            context = nil
            return
        }
        context = try TLSContext(
            certificates: [identity], minimumVersion: .v12, applicationProtocols: [.http11], demand: .optional,
            policy: NoClients())
    }

    func run(_ listener: consuming ListeningSocket, _ orders: Mailbox<Order>) throws {
        var poller = try Poller()
        try poller.add(listener.descriptor, for: .readableLevel, key: SlotKey(rawValue: 0))
        try orders.bell.watch(in: poller, key: SlotKey(rawValue: 1))
        while true {
            for index in 0..<(try poller.wait(timeout: -1)) {
                let event = poller[index]
                switch event.key.rawValue {
                case 0: try accept(listener, poller)
                case 1: if !orders.take().isEmpty { return }
                default: serve(Int(event.key.rawValue))
                }
            }
        }
    }

    private func accept(_ listener: borrowing ListeningSocket, _ poller: borrowing Poller) throws {
        guard case .connection(let socket, _) = listener.accept() else { return }
        lastNumber += 1
        let session = try context.map { try TLSSession(server: $0, wire: wire) }
        let connection = Connection(number: lastNumber, socket: socket, session: session)
        try poller.add(connection.socket.descriptor, for: .everything, key: SlotKey(rawValue: UInt64(lastNumber)))
        connections[lastNumber] = connection
    }

    private func serve(_ number: Int) {
        guard let connection = connections[number] else { return }
        var isOver = false
        while !isOver, let bytes = read(connection, &isOver) {
            if isCapturing {
                record.firstBytes.withLock { if $0.isEmpty { $0 = bytes } }
                isOver = true
            }
            isOver = take(bytes, connection) || isOver
        }
        while let request = nextRequest(connection) {
            record.requests.withLock { $0.append(request) }
            switch handler(request) {
            case .send(let text): send(text, connection)
            case .sendAndEnd(let text):
                send(text, connection)
                connection.isEnding = true
            case .nothing: break
            }
        }
        flush(connection)
        if isOver || connection.isEnding && connection.output.isEmpty { connections[number] = nil }
    }

    /// The next bytes, or nothing where none are there.
    private func read(_ connection: Connection, _ isOver: inout Bool) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: 16_384)
        let outcome = unsafe room.withUnsafeMutableBytes { unsafe connection.socket.read(into: $0) }
        switch outcome {
        case .moved(let count): return Array(room[..<count])
        case .wouldBlock: return nil
        case .ended, .failed:
            isOver = true
            return nil
        }
    }

    /// Takes bytes in; true where they end the connection.
    private func take(_ bytes: [UInt8], _ connection: Connection) -> Bool {
        guard let session = connection.session else {
            connection.plaintext.append(bytes.span)
            return false
        }
        var plaintext = ByteQueue()
        // 2027, when the certificates are valid.
        let outcome = session.receive(bytes.span, now: UnixTime(seconds: 1_800_000_000), into: &plaintext)
        connection.plaintext.append(plaintext)
        moveCiphertext(to: connection)
        if case .failed = outcome { return true }
        return outcome == .ended
    }

    private func nextRequest(_ connection: Connection) -> TrialServer.Request? {
        let text = connection.plaintext.withReadable { String(decoding: Array(copying: $0), as: UTF8.self) }
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let head = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        let length =
            head.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0
        let body = text[end.upperBound...].utf8
        guard body.count >= length else { return nil }
        connection.plaintext.consume(text[..<end.upperBound].utf8.count + length)
        return TrialServer.Request(
            head: head, body: String(decoding: body.prefix(length), as: UTF8.self), connection: connection.number - 1)
    }

    private func send(_ text: String, _ connection: Connection) {
        let bytes = Array(text.utf8)
        guard let session = connection.session else { return connection.output.append(bytes.span) }
        _ = session.send(bytes.span)
        moveCiphertext(to: connection)
    }

    private func moveCiphertext(to connection: Connection) {
        connection.output.append(wire.output)
        wire.output.removeAll()
    }

    private func flush(_ connection: Connection) {
        while !connection.output.isEmpty {
            let outcome = connection.output.withReadable { connection.socket.write($0) }
            guard case .moved(let count) = outcome else { return }
            connection.output.consume(count)
        }
    }
}
