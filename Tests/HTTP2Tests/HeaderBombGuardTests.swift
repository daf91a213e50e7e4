import Bytes
import Testing

@testable import HTTP2

@Suite("HeaderBombGuard")
struct HeaderBombGuardTests {
    @Test("A few blocks may be given up, and another for each while")
    func allowance() {
        var account = HeaderBombGuard(HTTP2Allowance(burst: 2, perSecond: 1))
        account.advance(to: MonotonicTime(nanoseconds: 0))
        let first = (account.blockGivenUp(), account.blockGivenUp(), account.blockGivenUp())
        #expect(first == (true, true, false))
        account.advance(to: MonotonicTime(nanoseconds: 1_000_000_000))
        let later = (account.blockGivenUp(), account.blockGivenUp())
        #expect(later == (true, false))
    }
}
