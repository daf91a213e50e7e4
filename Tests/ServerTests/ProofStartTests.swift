import Bytes
import Testing

@testable import Server

@Suite("The moment from which on proofs are believed")
struct ProofStartTests {
    private let now = UnixTime(nanoseconds: 1_800_000_000_300_000_000)
    private let second = UnixTime(seconds: 1_800_000_000)

    private func moment(earlier: UnixTime?, mark: UnixTime = UnixTime(nanoseconds: 0)) -> UnixTime {
        ProofStart(earlier: earlier, mark: mark, now: now).moment
    }

    @Test("17: After an earlier process it is the next full second, for no proof tells a finer time")
    func restart() {
        #expect(moment(earlier: now - .seconds(1)) == second + .seconds(1))
        #expect(moment(earlier: now - .seconds(899)) == second + .seconds(1))
    }

    @Test("Where nobody can have seen a proof, nobody waits")
    func first() {
        #expect(moment(earlier: nil) == second)
        #expect(moment(earlier: now - .seconds(900)) == second)
    }

    @Test("17: A proof that was dated ahead is not believed after the start, however it was dated")
    func ahead() {
        let mark = UnixTime(seconds: 1_800_000_009)
        #expect(moment(earlier: now, mark: mark) > mark)
        #expect(moment(earlier: now, mark: now - .seconds(1)) == second + .seconds(1))
    }
}
