/// Bounds how often strangers can cause an alert: the rest is counted, and told in one.
struct AlertThrottle {
    /// How many pass in one window.
    static let limit = 10
    /// The window, in nanoseconds.
    static let window: Int64 = 10_000_000_000

    private var windowEnd = Int64.min
    private var passed = 0
    private var suppressed: UInt64 = 0

    /// Whether an alert may be raised now, in monotonic nanoseconds; one that may not is counted.
    mutating func passes(at now: Int64) -> Bool {
        if now >= windowEnd {
            windowEnd = now + Self.window
            passed = 0
        }
        guard passed < Self.limit else {
            suppressed += 1
            return false
        }
        passed += 1
        return true
    }

    /// How many were counted since it was asked last, once their window is over; nothing: none, or it is not over.
    mutating func takeSuppressed(at now: Int64) -> UInt64? {
        guard suppressed > 0, now >= windowEnd else { return nil }
        defer { suppressed = 0 }
        return suppressed
    }

    /// When ``takeSuppressed(at:)`` has something to tell, if ever.
    var due: Int64? { suppressed > 0 ? windowEnd : nil }
}
