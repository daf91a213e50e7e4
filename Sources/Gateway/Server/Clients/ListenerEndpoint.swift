import Logging
import Reactor

/// A worker's own listening socket: takes connections in.
final class ListenerEndpoint: Endpoint {
    private var socket: ListeningSocket?
    private let index: Int
    /// How long accepting rests when descriptors or memory have run out, in nanoseconds.
    private static let rest: Int64 = 100_000_000
    /// The most connections taken in one go, so that those there are get their turn.
    private static let batch = 64

    init(worker: Worker, socket: consuming ListeningSocket, index: Int) {
        self.socket = consume socket
        self.index = index
        super.init(worker: worker)
    }

    func start() throws {
        guard let socket else { return }
        try worker.add(self, watching: socket.descriptor, for: .readableLevel)
    }

    func close() {
        socket = nil
        worker.remove(self)
    }

    override func ready(_ readiness: Poller.Readiness) {
        for _ in 0..<Self.batch {
            guard let accepted = socket?.accept() else { return }
            switch consume accepted {
            case .connection(let socket, let address): admit(socket, address)
            case .none: return
            case .exhausted(let error):
                worker.logger.warning("cannot accept connections for a while", metadata: ["reason": "\(error)"])
                rest()
                return
            }
        }
    }

    /// Stops watching, since the kernel would report again at once.
    private func rest() {
        guard let socket else { return }
        worker.unwatch(socket.descriptor)
        worker.setDeadline(worker.now + Self.rest, of: self)
    }

    override func deadlinePassed() {
        guard let socket else { return }
        do { try worker.watch(self, on: socket.descriptor, for: .readableLevel) } catch {
            worker.logger.error("a listener cannot be watched", metadata: ["reason": "\(error)"])
            worker.setDeadline(worker.now + Self.rest, of: self)
        }
    }

    private func admit(_ socket: consuming Socket, _ address: SocketAddress) {
        guard worker.connections.enter(worker: worker.index) else {
            // Dropped here: the limit is the operator's, and the client's next attempt may find room.
            return
        }
        do {
            let connection = try ClientConnection(worker: worker, socket: socket, address: address, listener: index)
            try connection.start()
        } catch {
            worker.connections.leave(worker: worker.index)
            worker.logger.error("cannot serve a connection", metadata: ["reason": "\(error)"])
        }
    }
}
