import Configuration
import Glibc
import Reactor

/// Opens the socket that operators come to.
enum AdminSocket {
    /// Listens at the configured address; a Unix socket has its mode before anybody can connect.
    static func open(_ configuration: AdminConfiguration) throws -> ListeningSocket {
        do {
            switch configuration {
            case .unix(let path, let mode):
                try makeDirectory(of: path)
                try ListenerSockets.removeStale(path)
                return try ListeningSocket(.unix(path), mode: mode)
            case .tcp(let host, let port, _):
                guard let address = try SocketAddress.resolve(host: host, port: port).first else {
                    throw SystemError("getaddrinfo", code: ENOENT)
                }
                return try ListeningSocket(address, isExclusive: true)
            }
        } catch {
            throw GatewayError(
                "admin.address \(configuration.address) cannot be listened on (\(error)); is it right, free and allowed?"
            )
        }
    }

    /// Makes the socket's directory, and those above it, for this user alone, unless they are there.
    private static func makeDirectory(of path: String) throws(SystemError) {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return }
        let directory = String(path[..<slash])
        if unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT else { throw SystemError("mkdir") }
        try makeDirectory(of: directory)
        guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw SystemError("mkdir") }
    }

    /// Whether others could put a socket of theirs in the place of ours.
    static func isReplaceable(_ path: String) -> Bool {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        var status = stat()
        guard unsafe stat(directory, &status) == 0 else { return false }
        return status.st_mode & S_IWOTH != 0 && status.st_mode & S_ISVTX == 0
    }

    /// Changes who may open the Unix socket.
    static func setMode(_ configuration: AdminConfiguration) throws(GatewayError) {
        guard case .unix(let path, let mode) = configuration, unsafe chmod(path, mode) != 0 else { return }
        throw GatewayError("admin.mode cannot be set (\(SystemError("chmod"))); is the socket still there?")
    }

    /// Removes the Unix socket of a gateway that ends.
    static func remove(_ configuration: AdminConfiguration) {
        if case .unix(let path, _) = configuration { _ = unsafe unlink(path) }
    }
}
