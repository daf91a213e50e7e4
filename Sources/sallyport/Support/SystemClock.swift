import Bytes
import Glibc

/// The system's clock.
enum SystemClock {
    /// The present moment.
    static var now: UnixTime {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UnixTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
