import Configuration
import Glibc
import Reactor
import Synchronization

/// A listening socket on its way to the worker that will own it.
final class SocketParcel: Sendable {
    private let socket: Mutex<ListeningSocket?>

    init(_ socket: consuming ListeningSocket) {
        self.socket = Mutex(consume socket)
    }

    /// Takes the socket out; once.
    func open() -> ListeningSocket? {
        socket.withLock { $0.take() }
    }
}

/// Opens the listening sockets of all workers before any of them runs, so that a start fails whole or not at all.
enum ListenerSockets {
    /// One parcel a worker, for one listener.
    ///
    /// - Parameters:
    ///   - listener: whose sockets.
    ///   - workers: how many share it.
    ///   - activated: sockets that were handed over; one for the listener is taken out, and then none is opened.
    static func open(
        _ listener: ListenerConfiguration, workers: Int, activated: inout ActivatedSockets
    ) throws(GatewayError) -> [SocketParcel] {
        do {
            if let socket = try activated.take(name: listener.name, address: try address(of: listener)) {
                return try share(socket, workers: workers)
            }
            switch listener.address {
            case .ip(let host, let port): return try openTCP(host: host, port: port, workers: workers)
            case .unix(let path): return try openUnix(path, workers: workers)
            }
        } catch {
            throw GatewayError(
                "listener \(listener.name) cannot listen on \(listener.address) (\(error)); "
                    + "is the address right, free and allowed?")
        }
    }

    private static func address(of listener: ListenerConfiguration) throws(SystemError) -> SocketAddress? {
        switch listener.address {
        case .ip(let host, let port): try SocketAddress.resolve(host: host, port: port).first
        case .unix(let path): .unix(path)
        }
    }

    /// The same socket for all workers: whoever is free accepts.
    private static func share(
        _ first: consuming ListeningSocket, workers: Int
    ) throws(SystemError) -> [SocketParcel] {
        var parcels: [SocketParcel] = []
        for _ in 1..<workers { parcels.append(SocketParcel(try first.duplicate())) }
        parcels.append(SocketParcel(first))
        return parcels
    }

    private static func openTCP(host: String, port: UInt16, workers: Int) throws(SystemError) -> [SocketParcel] {
        guard let address = try SocketAddress.resolve(host: host, port: port).first else {
            throw SystemError("getaddrinfo", code: ENOENT)
        }
        // SO_REUSEPORT would let us share a port with a stranger of the same user; a plain probe finds out first.
        let first = try ListeningSocket(address, isExclusive: true)
        let bound = first.address
        var parcels: [SocketParcel] = []
        _ = consume first
        for _ in 0..<workers { parcels.append(SocketParcel(try ListeningSocket(bound))) }
        return parcels
    }

    private static func openUnix(_ path: String, workers: Int) throws(SystemError) -> [SocketParcel] {
        try removeStale(path)
        return try share(try ListeningSocket(.unix(path)), workers: workers)
    }

    /// Removes a socket that nobody listens on any more; anything else stays, and binding fails.
    static func removeStale(_ path: String) throws(SystemError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        do throws(SystemError) {
            let probe = try Socket.connect(to: .unix(path))
            _ = consume probe
        } catch {
            guard error.code == ECONNREFUSED else { throw error }
            _ = unsafe unlink(path)
            return
        }
        throw SystemError("bind", code: EADDRINUSE)
    }
}
