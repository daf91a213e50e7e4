import Glibc

/// The process at the other end of a Unix socket, as the kernel saw it when it connected.
public struct PeerCredentials: Equatable, Sendable {
    /// The process; 0 where it is of another namespace.
    public let processID: Int32
    /// Its effective user.
    public let userID: UInt32
    /// Its effective group.
    public let groupID: UInt32

    /// Makes credentials of their parts.
    public init(processID: Int32, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }
}

extension Socket {
    /// Who connected (SO_PEERCRED, unix(7)); nothing where the socket is no Unix socket.
    public var peerCredentials: PeerCredentials? {
        // The kernel's form is three words: process, user, group.
        var words: [UInt32] = [0, 0, 0]
        let size = words.count * MemoryLayout<UInt32>.size
        var length = socklen_t(size)
        let code = unsafe words.withUnsafeMutableBytes { bytes in
            unsafe getsockopt(descriptor.number, SOL_SOCKET, SO_PEERCRED, bytes.baseAddress, &length)
        }
        // TCP sockets answer too, with nobody.
        guard code == 0, Int(length) == size, words[1] != .max else { return nil }
        return PeerCredentials(processID: Int32(bitPattern: words[0]), userID: words[1], groupID: words[2])
    }
}
