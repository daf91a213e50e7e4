import Bytes
import Reactor
import Synchronization
import TLS

/// An HTTP/1.1 server on a free port of the loopback, with one thread, that does what it is told.
final class TrialServer: Sendable {
    /// How bytes are carried.
    enum Carriage: Sendable {
        /// By TLS, as whom.
        case tls(ServerCertificate)
        /// As they are.
        case plain
        /// As they are, and the first of them end the connection.
        case captured
    }

    /// A request as it came.
    struct Request: Sendable {
        /// The lines of the head, without their ends.
        let head: [String]
        let body: String
        /// Which connection it came on, counted from 1.
        let connection: Int

        var line: String { head.first ?? "" }

        /// The value of the first field of that name.
        func value(of name: String) -> String? {
            let prefix = name.lowercased() + ":"
            let line = head.dropFirst().first { $0.lowercased().hasPrefix(prefix) }
            return line.map { String($0.dropFirst(prefix.count).drop { $0 == " " }) }
        }
    }

    /// What to do with a request.
    enum Reaction: Sendable {
        case send(String)
        case sendAndEnd(String)
        case nothing
    }

    /// Decides, on the server's thread.
    typealias Handler = @Sendable (Request) -> Reaction

    /// What the thread notes for others.
    final class Record: Sendable {
        let requests = Mutex<[Request]>([])
        let firstBytes = Mutex<[UInt8]>([])
    }

    private final class Parcel: Sendable {
        let socket: Mutex<ListeningSocket?>

        init(_ socket: consuming ListeningSocket) {
            self.socket = Mutex(consume socket)
        }
    }

    /// Where it listens.
    let port: UInt16
    private let record = Record()
    private let orders: Mailbox<TrialServerLoop.Order>
    private let thread: Mutex<WorkerThread?>

    /// Starts to listen and to serve.
    init(_ carriage: Carriage, _ handler: @escaping Handler) throws {
        let socket = try ListeningSocket(.ipv4(0x7F00_0001, port: 0), isExclusive: true)
        port = socket.address.port ?? 0
        let parcel = Parcel(socket)
        let (orders, record) = (try Mailbox<TrialServerLoop.Order>(), record)
        self.orders = orders
        let started = try WorkerThread(name: "trial server") {
            guard let socket = parcel.socket.withLock({ $0.take() }) else { return }
            try? TrialServerLoop(carriage, handler: handler, record: record).run(socket, orders)
        }
        thread = Mutex(started)
    }

    deinit {
        kill()
    }

    /// What was asked so far.
    var requests: [Request] { record.requests.withLock { $0 } }

    /// The first bytes of the first connection.
    var firstBytes: [UInt8] { record.firstBytes.withLock { $0 } }

    /// Ends all connections at once and listens no more.
    func kill() {
        orders.post(.stop)
        thread.withLock { $0.take() }?.join()
    }
}
