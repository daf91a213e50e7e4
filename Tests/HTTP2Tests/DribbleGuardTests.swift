import Testing

@testable import HTTP2

@Suite("DribbleGuard")
struct DribbleGuardTests {
    static let frames: [(Int, Int, Bool)] = [
        (1, 1, true), (255, 1, true), (256, 1, false), (1, 0, false), (255, 0, false), (16_384, 9, false),
    ]

    @Test("A sliver is a small frame while more waits", arguments: frames)
    func sliver(_ count: Int, _ waiting: Int, _ isSliver: Bool) {
        var account = DribbleGuard(slivers: 0)
        let isWithin = account.contentFramed(count, waiting: waiting)
        #expect(isWithin != isSliver)
    }

    @Test("Content grants slivers, and slivers are content too")
    func grants() {
        var account = DribbleGuard(slivers: 1)
        let first = account.contentFramed(96, waiting: 1)
        let second = account.contentFramed(4000, waiting: 1)
        let third = account.contentFramed(1, waiting: 1)
        let fourth = account.contentFramed(1, waiting: 1)
        #expect([first, second, third, fourth] == [true, true, true, false])
    }
}
