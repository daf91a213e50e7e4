import CShims
import Glibc

/// A connected stream socket that never blocks.
public struct Socket: ~Copyable, Sendable {
    /// The descriptor, for ``Poller``.
    public let descriptor: FileDescriptor

    /// What a read or write did.
    public enum Outcome: Equatable, Sendable {
        /// That many bytes were moved, at least one.
        case moved(Int)
        /// The kernel has nothing, or no room, for now.
        case wouldBlock
        /// The peer has ended its side: reads only.
        case ended
        /// The connection is broken, with the `errno`.
        case failed(CInt)
    }

    /// Takes ownership of a connected, non-blocking descriptor.
    public init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Starts to connect; the socket becomes writable, or failed, when that is decided.
    public static func connect(to address: SocketAddress) throws(SystemError) -> Socket {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let number = socket(address.family, type, 0)
        guard number >= 0 else { throw SystemError("socket") }
        let connection = Socket(FileDescriptor(owning: number))
        let code = unsafe try address.withKernelForm { unsafe Glibc.connect(number, $0, $1) == 0 ? 0 : errno }
        guard code == 0 || code == EINPROGRESS else { throw SystemError("connect", code: code) }
        connection.disableDelay()
        connection.limitUnsent()
        return connection
    }

    /// The reason why connecting failed, or 0.
    public var pendingError: CInt {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        let result = unsafe getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &code, &length)
        return result == 0 ? code : errno
    }

    /// Our side's address, if it has one.
    public var localAddress: SocketAddress? { SocketAddress(ofSocket: descriptor.number) }

    /// Has the kernel hold no more than 128 KiB that are not on their way yet (TCP_NOTSENT_LOWAT): what a slow reader leaves
    /// would fill megabytes of every socket otherwise.
    public func limitUnsent() {
        var most: CInt = 128 << 10
        // Fails on UNIX sockets, whose buffers are small.
        _ = unsafe setsockopt(
            descriptor.number, CInt(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &most, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Sends small writes at once (TCP_NODELAY): the gateway gathers its own.
    public func disableDelay() {
        var on: CInt = 1
        // Fails on UNIX sockets, which have no delay.
        _ = unsafe setsockopt(
            descriptor.number, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Reads into `room`.
    public func read(into room: UnsafeMutableRawBufferPointer) -> Outcome {
        while true {
            let count = unsafe recv(descriptor.number, room.baseAddress, room.count, 0)
            if count > 0 { return .moved(count) }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(errno)
            }
        }
    }

    /// Writes from `bytes`, which must not be empty.
    public func write(_ bytes: Span<UInt8>) -> Outcome {
        unsafe bytes.withUnsafeBytes { bytes in
            while true {
                let count = unsafe send(descriptor.number, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
                if count >= 0 { return .moved(count) }
                switch errno {
                case EINTR: continue
                case EAGAIN: return .wouldBlock
                default: return .failed(errno)
                }
            }
        }
    }

    /// Ends our side: the peer reads the end, and may still send.
    public func shutdownWriting() {
        _ = shutdown(descriptor.number, CInt(SHUT_WR))
    }

    /// Makes closing drop what was not sent and tell the peer so (RST).
    public func abortOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(
            descriptor.number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
