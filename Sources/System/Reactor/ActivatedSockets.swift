import CShims
import Glibc

/// The listening sockets that whoever started the process has opened for it (systemd's `sd_listen_fds(3)`).
///
/// They stay open between one process and the next, so that no connection is refused while the program is replaced. What is
/// not taken is closed with this value.
public struct ActivatedSockets: ~Copyable {
    private struct Item {
        let number: CInt
        let name: String
        let address: SocketAddress?
    }

    private var items: [Item] = []

    /// The first descriptor that is handed over.
    public static let firstDescriptor: CInt = 3
    /// More than this are not taken for an honest number.
    private static let most = 1024

    /// Reads what the environment says was handed over: nothing where it says so to another process.
    ///
    /// - Parameters:
    ///   - environment: `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` are read.
    ///   - processID: this process, unless it is another.
    ///   - first: the first descriptor.
    /// - Throws: where the number of sockets is none.
    public init(
        environment: [String: String], processID: CInt? = nil, first: CInt = firstDescriptor
    ) throws(SystemError) {
        guard environment["LISTEN_PID"] == String(processID ?? getpid()), let text = environment["LISTEN_FDS"] else {
            return
        }
        guard let count = Int(text), (0...Self.most).contains(count) else {
            throw SystemError("LISTEN_FDS", code: EINVAL)
        }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        for index in 0..<count {
            let number = first + CInt(index)
            // No program that this one starts has any business with it.
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            items.append(
                Item(
                    number: number, name: index < names.count ? String(names[index]) : "",
                    address: ListeningSocket.localAddress(of: number)))
        }
    }

    /// Whether nothing is left to take.
    public var isEmpty: Bool { items.isEmpty }

    /// What is left to take, as people know it: the name, else the address.
    public var remaining: [String] {
        items.map { $0.name.isEmpty ? $0.address?.description ?? "descriptor \($0.number)" : $0.name }
    }

    /// Takes the socket for a listener: the only one of its name, or the one at its address; nothing where there is none.
    ///
    /// - Parameters:
    ///   - name: what `FileDescriptorName=` of the socket's unit says.
    ///   - address: where the listener is to listen, or nothing where that is not known.
    /// - Throws: where the descriptor is none of a socket that listens.
    public mutating func take(name: String, address: SocketAddress?) throws(SystemError) -> ListeningSocket? {
        let named = items.indices.filter { items[$0].name == name }
        let index = named.count == 1 ? named[0] : items.firstIndex { $0.address != nil && $0.address == address }
        guard let index else { return nil }
        return try ListeningSocket(adopting: items.remove(at: index).number)
    }

    deinit {
        for item in items { _ = close(item.number) }
    }
}
