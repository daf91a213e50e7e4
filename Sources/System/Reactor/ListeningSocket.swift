import CShims
import Glibc

/// A socket that accepts connections.
///
/// With SO_REUSEPORT each worker has one of its own on the same address, and the kernel spreads the connections: no lock,
/// no hand-over, no thundering herd.
public struct ListeningSocket: ~Copyable, Sendable {
    /// The descriptor, for ``Poller``.
    public let descriptor: FileDescriptor
    /// Where it listens, with the port that the kernel chose where 0 was asked for.
    public let address: SocketAddress

    /// What an attempt to accept gave.
    public enum Accepted: ~Copyable {
        /// A connection and where it comes from.
        case connection(Socket, from: SocketAddress)
        /// Nobody waits.
        case none
        /// The process or the machine is out of descriptors or memory: try again later.
        case exhausted(SystemError)
    }

    /// Binds and listens.
    ///
    /// - Parameters:
    ///   - address: port 0 lets the kernel choose.
    ///   - isExclusive: whether to refuse to share the port with others of the same user.
    ///   - mode: the permission bits of a Unix socket; nothing: what the process's mask leaves.
    ///   - backlog: how many connections may wait.
    public init(
        _ address: SocketAddress, isExclusive: Bool = false, mode: UInt32? = nil, backlog: CInt = 4096
    ) throws(SystemError) {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let number = socket(address.family, type, 0)
        guard number >= 0 else { throw SystemError("socket") }
        let descriptor = FileDescriptor(owning: number)
        if address.port != nil {
            try Self.enable(SO_REUSEADDR, on: number)
            if !isExclusive { try Self.enable(SO_REUSEPORT, on: number) }
        }
        let bound = unsafe try address.withKernelForm { unsafe bind(number, $0, $1) == 0 ? 0 : errno }
        guard bound == 0 else { throw SystemError("bind", code: bound) }
        if case .unix(let path) = address, let mode {
            // Before it listens nobody can connect: there is no moment with another mode.
            guard unsafe chmod(path, mode) == 0 else { throw SystemError("chmod") }
        }
        guard listen(number, backlog) == 0 else { throw SystemError("listen") }
        self.address = SocketAddress(ofSocket: number) ?? address
        self.descriptor = descriptor
    }

    /// Takes over a socket that listens already, such as one that was handed over at the start.
    ///
    /// - Parameter number: the descriptor; it is closed where this fails.
    /// - Throws: where it is no stream socket that listens.
    public init(adopting number: CInt) throws(SystemError) {
        let descriptor = FileDescriptor(owning: number)
        guard try Self.option(SO_TYPE, of: number) == CInt(SOCK_STREAM.rawValue) else {
            throw SystemError("listen", code: ESOCKTNOSUPPORT)
        }
        guard try Self.option(SO_ACCEPTCONN, of: number) != 0 else { throw SystemError("listen", code: EINVAL) }
        let flags = fcntl(number, F_GETFL)
        guard flags >= 0, fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0, fcntl(number, F_SETFD, FD_CLOEXEC) == 0
        else { throw SystemError("fcntl") }
        guard let address = Self.localAddress(of: number) else { throw SystemError("listen", code: EAFNOSUPPORT) }
        self.address = address
        self.descriptor = descriptor
    }

    /// Opens the same listening socket once more, for another worker of a UNIX socket or of one that was handed over.
    public func duplicate() throws(SystemError) -> ListeningSocket {
        let number = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 0)
        guard number >= 0 else { throw SystemError("dup") }
        return ListeningSocket(FileDescriptor(owning: number), address: address)
    }

    private init(_ descriptor: consuming FileDescriptor, address: SocketAddress) {
        self.descriptor = descriptor
        self.address = address
    }

    /// Takes the next connection.
    public func accept() -> Accepted {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let number = unsafe withUnsafeMutablePointer(to: &storage) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe sp_accept(descriptor.number, $0, &length)
                }
            }
            if number >= 0 {
                let peer = unsafe withUnsafePointer(to: &storage) {
                    unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe SocketAddress($0, length: length)
                    }
                }
                let socket = Socket(FileDescriptor(owning: number))
                if address.port != nil {
                    socket.disableDelay()
                    socket.limitUnsent()
                }
                return .connection(socket, from: peer ?? .unix(""))
            }
            switch errno {
            case EINTR, ECONNABORTED, EPROTO: continue
            case EAGAIN: return .none
            default: return .exhausted(SystemError("accept"))
            }
        }
    }

    private static func enable(_ option: CInt, on number: CInt) throws(SystemError) {
        var on: CInt = 1
        guard unsafe setsockopt(number, SOL_SOCKET, option, &on, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
            throw SystemError("setsockopt")
        }
    }

    private static func option(_ option: CInt, of number: CInt) throws(SystemError) -> CInt {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(number, SOL_SOCKET, option, &value, &length) == 0 else {
            throw SystemError("getsockopt")
        }
        return value
    }

    /// Where a socket is bound, the path of a UNIX socket included.
    static func localAddress(of number: CInt) -> SocketAddress? {
        if let address = SocketAddress(ofSocket: number) { return address }
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe getsockname(number, pointer, &length) == 0
            }
        }
        guard isBound, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
        let start = MemoryLayout<sa_family_t>.size
        let path = unsafe withUnsafeBytes(of: &address.sun_path) { bytes in
            unsafe Array(bytes.prefix(max(0, Int(length) - start)).prefix { $0 != 0 })
        }
        return .unix(String(decoding: path, as: UTF8.self))
    }
}
