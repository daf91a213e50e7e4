import Bytes
import Configuration
import Policy
import Possession
import Testing

@testable import Server

@Suite("The moment from which on proofs are believed")
struct ProofStartTests {
    private let now = UnixTime(nanoseconds: 1_800_000_000_300_000_000)

    private func moment(
        takesDPoP: Bool = true, takesWorkloadProofs: Bool = false, requiresNonce: Bool = false, earlier: UnixTime?,
        mark: UnixTime = UnixTime(nanoseconds: 0)
    ) -> ProofStart {
        ProofStart(
            takesDPoP: takesDPoP, takesWorkloadProofs: takesWorkloadProofs, possession: settings(requiresNonce),
            earlier: earlier, mark: mark, now: now)
    }

    private func settings(_ requiresNonce: Bool) -> PossessionConfiguration {
        var settings = PossessionConfiguration.standard
        settings.requiresNonce = requiresNonce
        return settings
    }

    @Test("17: After an earlier process it is the next full second, for no proof tells a finer time")
    func restart() {
        let start = moment(earlier: now - .seconds(1))
        #expect(start.moment == UnixTime(seconds: 1_800_000_001))
        #expect(start.mistrustsExpiryUntil == now + .seconds(310))
    }

    @Test("Where nobody can have seen a proof, nobody waits")
    func first() {
        let second = UnixTime(seconds: 1_800_000_000)
        #expect(moment(earlier: nil).moment == second)
        #expect(moment(earlier: nil).mistrustsExpiryUntil == nil)
        #expect(moment(earlier: now - .seconds(600)).moment == second)
        #expect(moment(earlier: now - .seconds(599)).moment > second)
        #expect(moment(takesDPoP: false, earlier: now).moment == second)
        #expect(moment(requiresNonce: true, earlier: now).moment == second)
        #expect(moment(takesWorkloadProofs: true, requiresNonce: true, earlier: now).moment > second)
    }

    @Test("17: A proof that was dated ahead is not believed after the start, however it was dated")
    func ahead() {
        let mark = UnixTime(seconds: 1_800_000_009)
        #expect(moment(earlier: now, mark: mark).moment > mark)
        #expect(moment(earlier: now, mark: now - .seconds(1)).moment == UnixTime(seconds: 1_800_000_001))
    }
}
