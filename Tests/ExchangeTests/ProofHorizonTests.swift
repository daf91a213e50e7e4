import Bytes
import Configuration
import Possession
import Testing

@testable import Exchange

@Suite("The horizon of proofs")
struct ProofHorizonTests {
    private let now = UnixTime(seconds: 1_800_000_000)

    private func settings(window: Int64 = 60, skew: Int64 = 10) -> PossessionConfiguration {
        var settings = PossessionConfiguration.standard
        settings.dpop = DPoPPolicy(
            algorithms: settings.dpop.algorithms, acceptWindow: .seconds(window), futureSkew: .seconds(10))
        settings.workloadProof = WPTPolicy(maximumLifetime: .seconds(300), futureSkew: .seconds(skew))
        return settings
    }

    private func horizon(_ change: PossessionConfiguration) -> ProofHorizon {
        var horizon = ProofHorizon.none
        horizon.advance(from: settings(), to: change, at: now)
        return horizon
    }

    @Test("Where proofs may be used longer, those forgotten by then stay refused")
    func longer() {
        #expect(horizon(settings(window: 61)).madeSince == now - .seconds(60))
        #expect(horizon(settings(skew: 11)).endsSince == now - .seconds(10))
    }

    @Test("Where they may not, nothing is refused beside")
    func notLonger() {
        #expect(horizon(settings()) == .none)
        #expect(horizon(settings(window: 59, skew: 9)) == .none)
    }

    @Test("It never moves back")
    func monotone() {
        var horizon = horizon(settings(window: 61))
        horizon.advance(from: settings(window: 61), to: settings(window: 600), at: now + .seconds(1))
        #expect(horizon.madeSince == now - .seconds(60))
    }
}
