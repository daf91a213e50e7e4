import CShims
import Glibc

/// The two clocks of the machine, read by the Gateway floor and handed down as values.
public enum Clock {
    /// Nanoseconds of the clock that never goes back.
    public static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public static func civil() -> Int64 { read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { preconditionFailure("the kernel has no such clock") }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Unpredictable bits from the kernel, fetched 4 KiB at a time: a request needs a few and must not pay a call for them.
public struct Entropy: ~Copyable {
    private var words: [UInt64] = Array(repeating: 0, count: 512)
    private var next = 512

    /// Makes an empty store; the first use fills it.
    public init() {}

    /// 64 unpredictable bits, never given twice.
    public mutating func word() -> UInt64 {
        if next == words.count { refill() }
        defer {
            words[next] = 0
            next += 1
        }
        return words[next]
    }

    /// So many unpredictable bytes, for secrets.
    public static func bytes(_ count: Int) -> [UInt8] {
        var entropy = Entropy()
        var bytes: [UInt8] = []
        while bytes.count < count {
            let word = entropy.word()
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return Array(bytes.prefix(count))
    }

    private mutating func refill() {
        unsafe words.withUnsafeMutableBytes { bytes in
            var filled = 0
            while filled < bytes.count {
                let count = unsafe getrandom(bytes.baseAddress.map { unsafe $0 + filled }, bytes.count - filled, 0)
                if count > 0 { filled += count }
                // getrandom without flags fails only when interrupted, once the kernel's pool is ready.
                precondition(count > 0 || errno == EINTR, "the kernel gives no entropy")
            }
        }
        next = 0
    }
}
