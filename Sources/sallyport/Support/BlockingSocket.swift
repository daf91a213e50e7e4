import Configuration
import Glibc

/// A stream socket whose calls wait: for tools, which do one thing at a time.
final class BlockingSocket: Sendable {
    private let descriptor: CInt

    /// A call that failed, in words.
    struct Failure: Error {
        let reason: String

        fileprivate static var current: Failure {
            Failure(reason: unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)")
        }
    }

    private init(owning descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        _ = close(descriptor)
    }

    /// Connects to the first address of `host` that answers.
    static func connecting(to host: String, port: UInt16) throws(Failure) -> BlockingSocket {
        unsafe try opening(host, port, flags: 0) { unsafe connect($0, $1, $2) == 0 }
    }

    /// Connects to the Unix socket at `path`.
    static func connecting(toPath path: String) throws(Failure) -> BlockingSocket {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .current }
        let opened = BlockingSocket(owning: descriptor)
        let code = unsafe try withAddress(ofPath: path) { address, length in
            unsafe connect(descriptor, address, length) == 0 ? 0 : errno
        }
        guard code == 0 else {
            errno = code
            throw .current
        }
        return opened
    }

    /// Listens at `address`, replacing a Unix socket that nobody listens on any more.
    static func listening(at address: ListenAddress) throws(Failure) -> BlockingSocket {
        switch address {
        case .ip(let host, let port):
            return unsafe try opening(host, port, flags: AI_PASSIVE) { descriptor, address, length in
                var on: CInt = 1
                let size = socklen_t(MemoryLayout<CInt>.size)
                guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size) == 0 else { return false }
                return unsafe bind(descriptor, address, length) == 0 && listen(descriptor, 1024) == 0
            }
        case .unix(let path):
            return try listening(atPath: path)
        }
    }

    /// The next connection.
    func accepting() throws(Failure) -> BlockingSocket {
        while true {
            let connection = accept(descriptor, nil, nil)
            if connection >= 0 { return BlockingSocket(owning: connection).withoutDelay() }
            // A connection that went away, or a shortage that passes, ends nothing.
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: _ = usleep(10_000)
            default: throw .current
            }
        }
    }

    /// What has come, at least one byte; empty at the end.
    func read(upTo count: Int = 64 << 10) throws(Failure) -> [UInt8] {
        while true {
            var received = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, initialized in
                received = unsafe recv(descriptor, room.baseAddress, count, 0)
                initialized = max(0, received)
            }
            if received >= 0 { return bytes }
            guard errno == EINTR else { throw .current }
        }
    }

    /// Sends all bytes.
    func write(_ bytes: Span<UInt8>) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe send(
                    descriptor, buffer.baseAddress.map { unsafe $0 + sent }, buffer.count - sent, CInt(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .current }
            sent += count
        }
    }

    /// Makes each call give up after so many seconds.
    func limitWaiting(seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    private func withoutDelay() -> BlockingSocket {
        var on: CInt = 1
        _ = unsafe setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        return self
    }

    /// Opens a socket for the first address of `host` with which `use` succeeds.
    private static func opening(
        _ host: String, _ port: UInt16, flags: CInt, _ use: (CInt, UnsafePointer<sockaddr>?, socklen_t) -> Bool
    ) throws(Failure) -> BlockingSocket {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw Failure(reason: unsafe String(cString: gai_strerror(code))) }
        defer { unsafe freeaddrinfo(list) }
        var failure = Failure(reason: "no address")
        var next = unsafe list
        while let entry = unsafe next {
            let descriptor = unsafe socket(entry.pointee.ai_family, entry.pointee.ai_socktype, 0)
            if descriptor >= 0 {
                let opened = BlockingSocket(owning: descriptor)
                if unsafe use(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) {
                    return opened.withoutDelay()
                }
            }
            failure = .current
            unsafe next = entry.pointee.ai_next
        }
        throw failure
    }

    private static func listening(atPath path: String) throws(Failure) -> BlockingSocket {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .current }
        let opened = BlockingSocket(owning: descriptor)
        let isBound = unsafe try withAddress(ofPath: path) { address, length in
            if unsafe bind(descriptor, address, length) == 0 { return true }
            // A socket file that nobody accepts on is left from an earlier run.
            let probe = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
            defer { _ = close(probe) }
            guard errno == EADDRINUSE, unsafe connect(probe, address, length) != 0, errno == ECONNREFUSED else {
                errno = EADDRINUSE
                return false
            }
            _ = unsafe unlink(path)
            return unsafe bind(descriptor, address, length) == 0
        }
        guard isBound, listen(descriptor, 1024) == 0 else { throw .current }
        return opened
    }

    /// Calls `body` with the kernel's form of a path.
    private static func withAddress<R>(
        ofPath path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) throws(Failure) -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Failure(reason: "the path is too long")
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
