import Bytes
import Glibc
import Reactor
import Synchronization

/// A time in a file that only moves ahead, so that the next process knows it: see ``ReplayMarks``.
///
/// The file has its full size from the beginning: to write
/// it needs no space, and what was written survives any end of the process.
final class ProofMark: Sendable {
    private struct State: ~Copyable {
        let file: FileDescriptor
        var time: UnixTime
    }

    /// What an earlier process left, or the beginning of time.
    let earlier: UnixTime
    private let state: Mutex<State>

    /// Nanoseconds since 1970 as decimal digits, and a newline.
    private static let width = 20

    /// Opens the file, or makes it.
    init(path: String) throws(GatewayError) {
        let number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard number >= 0 else { throw GatewayError("\(path) cannot be opened; make it a file of the gateway's own") }
        let file = FileDescriptor(owning: number)
        if let time = try Self.read(file, path) {
            earlier = time
        } else {
            earlier = UnixTime(nanoseconds: 0)
            guard Self.write(earlier, to: file) else {
                throw GatewayError("\(path) cannot be written; is the disk full?")
            }
        }
        state = Mutex(State(file: file, time: earlier))
    }

    /// Moves the mark ahead, if that time is behind it.
    ///
    /// - Returns: whether it is kept.
    func raise(to time: UnixTime) -> Bool {
        state.withLock { state in
            guard time > state.time else { return true }
            guard Self.write(time, to: state.file) else { return false }
            state.time = time
            return true
        }
    }

    /// What is in the file; nothing where that is empty.
    private static func read(_ file: borrowing FileDescriptor, _ path: String) throws(GatewayError) -> UnixTime? {
        var bytes: [UInt8] = Array(repeating: 0, count: width + 1)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(file.number, $0.baseAddress, $0.count, 0) }
        guard count != 0 else { return nil }
        guard count == width, let text = String(validating: Array(bytes[..<(width - 1)]).span), let number = Int64(text)
        else {
            throw GatewayError(
                "\(path) is damaged, so nobody knows which proofs were used; wait fifteen minutes and remove it")
        }
        return UnixTime(nanoseconds: number)
    }

    private static func write(_ time: UnixTime, to file: borrowing FileDescriptor) -> Bool {
        let digits = String(max(0, time.nanoseconds))
        let text = String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits + "\n"
        let bytes = Array(text.utf8)
        return unsafe bytes.withUnsafeBytes { unsafe pwrite(file.number, $0.baseAddress, $0.count, 0) } == bytes.count
    }
}
