import Logging
import Reactor

/// A worker's own listening socket: takes connections in.
final class ListenerEndpoint: Endpoint {
    private let socket: ListeningSocket
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
        try worker.add(self, watching: socket.descriptor, for: .readableLevel)
    }

    /// Listens no more: the socket closes with this object, which the worker lets go of.
    func close() {
        worker.unwatch(socket.descriptor)
        worker.remove(self)
    }

    override func ready(_ readiness: Poller.Readiness) {
        for _ in 0..<Self.batch {
            switch socket.accept() {
            case .connection(let socket, from: let address): admit(socket, address)
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
        worker.unwatch(socket.descriptor)
        worker.setDeadline(worker.now + Self.rest, of: self)
    }

    override func deadlinePassed() {
        do { try worker.watch(self, on: socket.descriptor, for: .readableLevel) } catch {
            worker.logger.error("a listener cannot be watched", metadata: ["reason": "\(error)"])
            worker.setDeadline(worker.now + Self.rest, of: self)
        }
    }

    /// Whether whoever has been longest in its handshake makes room: strangers that say nothing must not keep others out.
    private func enterInPlaceOfSilence() -> Bool {
        worker.closeOldestHandshake() && worker.connections.enter(worker: worker.index)
    }

    private func admit(_ socket: consuming Socket, _ address: SocketAddress) {
        guard worker.connections.enter(worker: worker.index) || enterInPlaceOfSilence() else {
            // Dropped here: the limit is the operator's, and the client's next attempt may find room.
            return
        }
        do {
            let connection = try ClientConnection(worker: worker, socket: socket, address: address, listener: index)
            try connection.start()
            worker.handshakes.append(connection.key)
        } catch {
            worker.connections.leave(worker: worker.index)
            worker.logger.error("cannot serve a connection", metadata: ["reason": "\(error)"])
        }
    }
}
