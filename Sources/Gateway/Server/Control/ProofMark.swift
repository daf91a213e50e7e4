import Bytes
import Glibc
import Reactor
import Synchronization

/// The latest time that an accepted proof was dated ahead to, in a file, so that it outlives the process.
///
/// A proof tells its time by its client's clock. One that is dated ahead can be used before a start and again after it, although it
/// seems to be made after. So the next process refuses proofs up to this mark. The file has its full size from the beginning: to write
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
    init(path: String) throws(SystemError) {
        let number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard number >= 0 else { throw SystemError("open") }
        let file = FileDescriptor(owning: number)
        earlier = try Self.read(file)
        state = Mutex(State(file: file, time: earlier))
        guard raise(to: earlier) else { throw SystemError("write") }
    }

    /// Moves the mark ahead, if that time is behind it.
    ///
    /// - Returns: whether it is kept.
    func raise(to time: UnixTime) -> Bool {
        state.withLock { state in
            guard time > state.time || time == earlier else { return true }
            guard Self.write(time, to: state.file) else { return false }
            state.time = max(time, state.time)
            return true
        }
    }

    private static func read(_ file: borrowing FileDescriptor) throws(SystemError) -> UnixTime {
        var bytes: [UInt8] = Array(repeating: 0, count: width)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(file.number, $0.baseAddress, width, 0) }
        guard count >= 0 else { throw SystemError("read") }
        let digits = bytes.prefix(width - 1)
        guard count == width, let text = String(validating: Array(digits).span), let number = Int64(text) else {
            // A new file; or one that nobody wrote whole: what it was to say was never acted on.
            return UnixTime(nanoseconds: 0)
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
