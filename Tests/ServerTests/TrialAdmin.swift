import Bytes
import Configuration
import Cryptography
import Foundation
import Identity
import Logging
import Policy
import Reactor
import TLS

@testable import Server

/// A desk that keeps what it is asked, and answers as it is told.
final class TrialDesk: AdminDesk {
    private(set) var requests: [AdminRequest] = []
    private(set) var actors: [String] = []
    /// Those that were not answered at once.
    private(set) var owed: [AdminReply] = []
    private(set) var refused: [(peer: String, reason: String)] = []
    /// What is answered at once; nothing: it is owed.
    var answer: AdminAnswer? = .unrevoked
    /// Whether every operator's certificate is revoked.
    var revokesOperators = false

    func handle(_ request: AdminRequest, by actor: AdminActor, reply: AdminReply) {
        requests.append(request)
        actors.append(actor.text)
        if let answer { reply(answer) } else { owed.append(reply) }
    }

    func isRevoked(_ peer: VerifiedPeer) -> Bool { revokesOperators }

    func refusedOperator(peer: String, reason: String) {
        refused.append((peer, reason))
    }
}

/// An admin server with its desk, and the loop that a control thread would turn for it.
final class TrialAdmin {
    let desk = TrialDesk()
    let server: AdminServer
    private var poller: Poller
    private let directory: String

    /// Serves on a Unix socket, two folders deep; what `prepare` does there first is found.
    init(mode: UInt32 = 0o600, prepare: (_ path: String) throws -> Void = { _ in }) throws {
        // Short, since the path of a socket may have 107 bytes.
        directory = "/tmp/sallyport-\(UUID().uuidString.prefix(8))"
        let path = directory + "/run/admin.sock"
        poller = try Poller()
        try prepare(path)
        server = try AdminServer(configuration: .unix(path: path, mode: mode), poller: poller, logger: Self.logger)
        server.desk = desk
    }

    /// Serves on a port, as the operators' world has it.
    init(_ world: OperatorWorld, allowed: [String]) throws {
        directory = "/tmp/sallyport-\(UUID().uuidString.prefix(8))"
        poller = try Poller()
        server = try AdminServer(
            configuration: world.configuration(allowed: allowed), poller: poller, logger: Self.logger)
        server.desk = desk
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Where the Unix socket is.
    var path: String { directory + "/run/admin.sock" }

    /// Turns the control loop once.
    func turn() throws {
        let count = try poller.wait(timeout: 5)
        for index in 0..<count { server.ready(poller[index], poller: poller) }
        server.tick(poller: poller)
    }

    /// Turns the loop until `condition` holds.
    ///
    /// - Returns: whether it did within some seconds.
    func turn(until condition: () throws -> Bool) throws -> Bool {
        for _ in 0..<1000 {
            if try condition() { return true }
            try turn()
        }
        return false
    }

    /// Connects to the server.
    func connect() throws -> TrialOperator {
        TrialOperator(self, try Socket.connect(to: server.address))
    }

    /// Sends a request over a connection of its own, and gives the answer.
    func ask(_ method: String, _ target: String, _ body: String? = nil) throws -> TrialAnswer? {
        let connection = try connect()
        try connection.send(Self.request(method, target, body))
        return try connection.answer()
    }

    /// A request as a client writes it.
    static func request(_ method: String, _ target: String, _ body: String? = nil, fields: String = "") -> String {
        let content =
            body.map { "Content-Type: application/json\r\nContent-Length: \($0.utf8.count)\r\n\r\n\($0)" } ?? "\r\n"
        return "\(method) \(target) HTTP/1.1\r\nHost: sallyport\r\n\(fields)\(content)"
    }
}

/// An answer, split.
struct TrialAnswer: Equatable {
    let status: Int
    let head: String
    let body: String

    /// Takes the first answer off `text`, if all of it is there.
    init?(from text: inout String) {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        head = text[..<end.lowerBound].lowercased()
        let length = head.components(separatedBy: "content-length: ").dropFirst().first
        let count = length.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        let rest = text[end.upperBound...].utf8
        guard rest.count >= count, let status = Int(head.dropFirst(9).prefix(3)) else { return nil }
        self.status = status
        body = String(decoding: rest.prefix(count), as: UTF8.self)
        text = String(decoding: rest.dropFirst(count), as: UTF8.self)
    }
}

/// An operator's end of a connection.
final class TrialOperator {
    private let admin: TrialAdmin
    private let socket: Socket
    private let buffer = ReceiveBuffer()
    private var text = ""
    private let wire = TLSWire()
    private var session: TLSSession?
    /// Whether the server has ended the connection.
    private(set) var isEnded = false
    /// Whether TLS has failed.
    private(set) var hasFailed = false

    init(_ admin: TrialAdmin, _ socket: consuming Socket) {
        self.admin = admin
        self.socket = consume socket
    }

    /// Speaks TLS from here on.
    func secure(_ context: TLSContext) throws {
        let session = try TLSSession(client: context, wire: wire, host: "localhost")
        self.session = session
        _ = session.start(now: Self.now)
        try write()
        _ = try admin.turn { try read() || session.isEstablished }
    }

    func send(_ text: String) throws {
        guard let session else { return try write(Array(text.utf8)) }
        _ = session.send(Array(text.utf8).span)
        try write()
    }

    /// Says that no more will come.
    func end() { socket.shutdownWriting() }

    /// The next answer, if one comes.
    func answer() throws -> TrialAnswer? {
        var answer: TrialAnswer?
        _ = try admin.turn {
            let isOver = try read()
            answer = TrialAnswer(from: &text)
            return answer != nil || isOver
        }
        return answer
    }

    /// Waits until the server has ended the connection.
    func sawEnd() throws -> Bool { try admin.turn { try read() } }

    private func write() throws {
        let bytes = wire.output.withReadable { Array(copying: $0) }
        wire.output.removeAll()
        if !bytes.isEmpty { try write(bytes) }
    }

    private func write(_ bytes: [UInt8]) throws {
        var sent = 0
        _ = try admin.turn {
            while sent < bytes.count {
                guard case .moved(let count) = socket.write(bytes.span.extracting(sent...)) else { return isEnded }
                sent += count
            }
            return true
        }
    }

    /// Takes what has come; true at the end.
    private func read() throws -> Bool {
        while !isEnded {
            switch buffer.read(from: socket) {
            case .moved(let count): buffer.with(count) { take($0) }
            case .wouldBlock: return hasFailed
            case .ended, .failed: isEnded = true
            }
            if session != nil { try write() }
        }
        return true
    }

    private func take(_ bytes: Span<UInt8>) {
        guard let session else {
            text += String(decoding: Array(copying: bytes), as: UTF8.self)
            return
        }
        var plaintext = ByteQueue()
        if case .failed = session.receive(bytes, now: Self.now, into: &plaintext) { hasFailed = true }
        text += String(decoding: Array(copying: plaintext.readable), as: UTF8.self)
    }

    private static var now: UnixTime { UnixTime(nanoseconds: Clock.civil()) }
}

/// The certificates of a gateway that is administered over TCP.
struct OperatorWorld {
    /// From 2020 to 2050: both sides compare with the clock of the machine.
    private static let validity = UnixTime(seconds: 1_577_836_800)...UnixTime(seconds: 2_524_608_000)

    let operators: CertificateAuthority
    let servers: CertificateAuthority
    private let server: ServerCertificate

    init() throws {
        operators = try CertificateAuthority.make(
            commonName: "operators", uri: "spiffe://example.test", validFor: Self.validity)
        servers = try CertificateAuthority.make(commonName: "servers", uri: nil, validFor: Self.validity)
        server = try Self.leaf(of: servers, dnsNames: ["localhost"])
    }

    func configuration(allowed: [String]) -> AdminConfiguration {
        .tcp(
            host: "127.0.0.1", port: 0,
            AdminTLS(
                certificate: server, trustDomain: "example.test", bundle: [operators.certificate],
                allowed: allowed.compactMap { AgentPattern($0) }))
    }

    /// What an operator of that name comes with, or nobody.
    func client(_ name: String?, of authority: CertificateAuthority? = nil) throws -> TLSContext {
        let anchors = try TrustAnchors(trustDomain: "servers", certificates: [servers.certificate])
        let identity = try name.map { try Self.leaf(of: authority ?? operators, uris: [$0]) }
        return try TLSContext(trusting: anchors, identity: identity, applicationProtocols: [.http11])
    }

    private static func leaf(
        of authority: CertificateAuthority, uris: [String] = [], dnsNames: [String] = []
    ) throws -> ServerCertificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let certificate = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "leaf", uris: uris, dnsNames: dnsNames,
                notBefore: validity.lowerBound, notAfter: validity.upperBound))
        return ServerCertificate(chain: [certificate], key: key)
    }
}
