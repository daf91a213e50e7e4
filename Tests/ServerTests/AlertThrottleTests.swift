import Testing

@testable import Server

@Suite("A throttle of alerts")
struct AlertThrottleTests {
    @Test("The first of a window pass, and the rest is counted and told once the window is over")
    func counts() {
        var throttle = AlertThrottle()
        let passed = (0..<AlertThrottle.limit + 3).map { _ in throttle.passes(at: 0) }
        #expect(passed == Array(repeating: true, count: AlertThrottle.limit) + [false, false, false])
        #expect(throttle.due == AlertThrottle.window)
        let early = throttle.takeSuppressed(at: AlertThrottle.window - 1)
        let told = throttle.takeSuppressed(at: AlertThrottle.window)
        let again = throttle.takeSuppressed(at: AlertThrottle.window)
        #expect(early == nil && told == 3 && again == nil)
        #expect(throttle.due == nil)
    }

    @Test("A new window lets as many pass again")
    func renews() {
        var throttle = AlertThrottle()
        for _ in 0..<AlertThrottle.limit { _ = throttle.passes(at: 0) }
        let late = throttle.passes(at: AlertThrottle.window - 1)
        let next = throttle.passes(at: AlertThrottle.window)
        #expect(!late && next)
    }
}
