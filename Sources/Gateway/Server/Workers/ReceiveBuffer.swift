import Bytes
import Reactor

/// The room that all sockets of a worker read into: bytes stay in it only until they have been looked at.
@safe
final class ReceiveBuffer {
    static let size = 64 << 10
    /// Owned: freed in deinit, never handed out beyond a call.
    private let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: ReceiveBuffer.size, alignment: 64)

    deinit {
        unsafe storage.deallocate()
    }

    /// Reads from `socket`.
    func read(from socket: borrowing Socket) -> Socket.Outcome {
        unsafe socket.read(into: storage)
    }

    /// Lends the first `count` bytes, which the last read brought.
    func with<R>(_ count: Int, _ body: (Span<UInt8>) -> R) -> R {
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: storage[0..<count])
        return unsafe bytes.withMemoryRebound(to: UInt8.self) { body(unsafe Span(_unsafeElements: $0)) }
    }
}
