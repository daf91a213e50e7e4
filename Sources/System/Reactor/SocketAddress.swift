import CShims
import Glibc

/// Where a socket listens or connects: an IP address with a port, or a path.
public enum SocketAddress: Hashable, Sendable {
    /// An IPv4 address in host order, and a port.
    case ipv4(UInt32, port: UInt16)
    /// The 16 bytes of an IPv6 address as two words, most significant first, and a port.
    case ipv6(UInt64, UInt64, port: UInt16)
    /// A path in the file system.
    case unix(String)

    /// Looks a host name or literal address up; blocks, so not for a worker.
    public static func resolve(host: String, port: UInt16) throws(SystemError) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { throw SystemError("getaddrinfo", code: code == EAI_SYSTEM ? errno : ENOENT) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe SocketAddress(entry.pointee.ai_addr, length: entry.pointee.ai_addrlen) {
                let found = address.with(port: port)
                if !addresses.contains(found) { addresses.append(found) }
            }
            unsafe next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw SystemError("getaddrinfo", code: ENOENT) }
        return addresses
    }

    /// The local address of a TCP socket; nothing of any other.
    init?(ofSocket number: CInt) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let found = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> SocketAddress? in
                guard unsafe getsockname(number, pointer, &length) == 0 else { return nil }
                return unsafe SocketAddress(pointer, length: length)
            }
        }
        guard let found, found.port != nil else { return nil }
        self = found
    }

    /// Reads the kernel's form; nothing for other families.
    @unsafe init?(_ address: UnsafePointer<sockaddr>?, length: socklen_t) {
        guard let address = unsafe address else { return nil }
        let bytes = unsafe UnsafeRawPointer(address)
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET where length >= socklen_t(MemoryLayout<sockaddr_in>.size):
            let value = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
            self = .ipv4(UInt32(bigEndian: value.sin_addr.s_addr), port: UInt16(bigEndian: value.sin_port))
        case AF_INET6 where length >= socklen_t(MemoryLayout<sockaddr_in6>.size):
            let value = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
            let words = unsafe unsafeBitCast(value.sin6_addr, to: (UInt64, UInt64).self)
            self = .ipv6(
                UInt64(bigEndian: words.0), UInt64(bigEndian: words.1), port: UInt16(bigEndian: value.sin6_port))
        case AF_UNIX:
            self = .unix("")
        default:
            return nil
        }
    }

    /// The same host with another port; a path stays.
    public func with(port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let host, _): .ipv4(host, port: port)
        case .ipv6(let high, let low, _): .ipv6(high, low, port: port)
        case .unix: self
        }
    }

    /// The port, where there is one.
    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, _, let port): port
        case .unix: nil
        }
    }

    var family: CInt {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Calls `body` with the kernel's form.
    @unsafe func withKernelForm<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) throws(SystemError) -> R {
        var storage = sockaddr_storage()
        let length = try unsafe withUnsafeMutableBytes(of: &storage) { bytes throws(SystemError) in
            try unsafe fill(bytes)
        }
        return unsafe withUnsafePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    private func fill(_ bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> socklen_t {
        switch self {
        case .ipv4(let host, let port):
            var value = sockaddr_in()
            value.sin_family = sa_family_t(AF_INET)
            value.sin_port = port.bigEndian
            value.sin_addr.s_addr = host.bigEndian
            unsafe bytes.storeBytes(of: value, as: sockaddr_in.self)
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        case .ipv6(let high, let low, let port):
            var value = sockaddr_in6()
            value.sin6_family = sa_family_t(AF_INET6)
            value.sin6_port = port.bigEndian
            unsafe value.sin6_addr = unsafeBitCast((high.bigEndian, low.bigEndian), to: in6_addr.self)
            unsafe bytes.storeBytes(of: value, as: sockaddr_in6.self)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        case .unix(let path):
            var value = sockaddr_un()
            value.sun_family = sa_family_t(AF_UNIX)
            let room = MemoryLayout.size(ofValue: value.sun_path)
            guard path.utf8.count < room else { throw SystemError("bind", code: ENAMETOOLONG) }
            unsafe withUnsafeMutableBytes(of: &value.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
            unsafe bytes.storeBytes(of: value, as: sockaddr_un.self)
            return socklen_t(MemoryLayout<sockaddr_un>.size)
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The address as people write it: `127.0.0.1:8443`, `[::1]:8443`, `unix:/run/a.sock`.
    public var description: String {
        switch self {
        case .ipv4(let host, let port):
            return "\(host >> 24).\(host >> 16 & 255).\(host >> 8 & 255).\(host & 255):\(port)"
        case .ipv6(let high, let low, let port):
            return "[\(Self.text(high, low))]:\(port)"
        case .unix(let path):
            return "unix:\(path)"
        }
    }

    /// RFC 5952, by the C library.
    private static func text(_ high: UInt64, _ low: UInt64) -> String {
        var address = unsafe unsafeBitCast((high.bigEndian, low.bigEndian), to: in6_addr.self)
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            guard let base = buffer.baseAddress,
                unsafe inet_ntop(AF_INET6, &address, base, socklen_t(buffer.count)) != nil
            else { return "" }
            return unsafe String(cString: base)
        }
    }
}
