import Bytes
import Testing

@testable import Limits

/// Numbers that look random and are the same each time (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}

/// The same limits kept in another way: as credits that grow with time, in nanoseconds, one dictionary for all.
private struct Model {
    struct Account {
        var requestCredit: Int64
        var byteCredit: Int64 = 1_000_000_000
        var underWay = 0
        var updatedAt: Int64
    }

    var accounts: [String: Account] = [:]

    private func account(_ key: String, _ limit: RateLimit, now: Int64) -> Account {
        let most = limit.requestCost * Int64(limit.burst)
        guard var account = accounts[key] else { return Account(requestCredit: most, updatedAt: now) }
        account.requestCredit = min(most, account.requestCredit + now - account.updatedAt)
        account.byteCredit = min(1_000_000_000, account.byteCredit + now - account.updatedAt)
        account.updatedAt = now
        return account
    }

    mutating func admit(_ keys: [(key: String, limit: RateLimit)], now: Int64) -> Bool {
        for (key, limit) in keys {
            let account = account(key, limit, now: now)
            if limit.requestsPerSecond != nil, account.requestCredit < limit.requestCost { return false }
            if limit.bytesPerSecond != nil, account.byteCredit <= 0 { return false }
            if let concurrent = limit.concurrent, account.underWay >= concurrent { return false }
        }
        for (key, limit) in keys {
            var account = account(key, limit, now: now)
            account.requestCredit -= limit.requestCost
            account.underWay += 1
            accounts[key] = account
        }
        return true
    }

    mutating func end(_ keys: [(key: String, limit: RateLimit)], bytes: UInt64, now: Int64) {
        for (key, limit) in keys {
            var account = account(key, limit, now: now)
            account.underWay -= 1
            if let rate = limit.bytesPerSecond { account.byteCredit -= RateLimit.cost(ofBytes: bytes, perSecond: rate) }
            accounts[key] = account
        }
    }
}

@Suite("Limits beside a model of them")
struct LimitModelTests {
    /// A request under way.
    private final class Box {
        var lease: LimitLease?
        let keys: [(key: String, limit: RateLimit)]

        init(_ lease: consuming LimitLease, _ keys: [(key: String, limit: RateLimit)]) {
            self.lease = consume lease
            self.keys = keys
        }
    }

    private static func limit(_ random: inout Seeded) -> RateLimit {
        RateLimit(
            requestsPerSecond: Bool.random(using: &random) ? Int.random(in: 1...40, using: &random) : nil,
            burst: Int.random(in: 1...10, using: &random),
            concurrent: Bool.random(using: &random) ? Int.random(in: 1...6, using: &random) : nil,
            bytesPerSecond: Bool.random(using: &random) ? UInt64.random(in: 1000...9000, using: &random) : nil)
    }

    @Test("Ten thousand steps of any kind end as the model's do", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func agrees(_ seed: UInt64) {
        var random = Seeded(state: seed)
        let table = LimitTable(secret: [UInt8](0..<16))
        let scopes = [LimitScope.Kind.listener, .route, .route].enumerated().map { index, kind in
            LimitScope(
                kind, name: "\(index)",
                settings: LimitSettings(own: Self.limit(&random), perAgent: Self.limit(&random)))
        }
        var model = Model()
        var running: [Box] = []
        var now: Int64 = 1_000_000_000
        var admitted = 0
        var disagreements = 0
        for _ in 0..<10_000 {
            now += Int64.random(in: 0...20_000_000, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0, let box = running.randomElement(using: &random) {
                let bytes = UInt64.random(in: 0...500, using: &random)
                box.lease.take()?.end(bytes: bytes, now: MonotonicTime(nanoseconds: now))
                model.end(box.keys, bytes: bytes, now: now)
                running.removeAll { $0 === box }
                continue
            }
            let agent = "agent-\(Int.random(in: 0..<4, using: &random))"
            let second = Bool.random(using: &random) ? scopes[1] : scopes[2]
            let keys = [scopes[0], second].flatMap { scope -> [(key: String, limit: RateLimit)] in
                let name = "\(scope.kind) \(scope.name)"
                return [(name, scope.settings.own), ("\(name) \(agent)", scope.settings.perAgent)]
                    .compactMap { key, limit in limit.map { (key, $0) } }
            }
            let expected = model.admit(keys, now: now)
            let key = table.agent(agent.utf8.span)
            switch table.admit(scopes[0], second, agent: key, now: MonotonicTime(nanoseconds: now)) {
            case .admitted(let lease):
                if !expected { disagreements += 1 }
                admitted += 1
                running.append(Box(lease, keys))
            case .limited(let status):
                if expected || status.resetsIn <= .zero { disagreements += 1 }
            case .full:
                disagreements += 1
            }
        }
        #expect(disagreements == 0)
        #expect(admitted > 100)
        #expect(admitted < 9000)
    }

    @Test(
        "Who waits as long as it was told is admitted, and a nanosecond before is not",
        arguments: [7, 8, 9] as [UInt64])
    func waits(_ seed: UInt64) {
        var random = Seeded(state: seed)
        for _ in 0..<200 {
            let table = LimitTable(secret: [UInt8](0..<16))
            let rate = Int.random(in: 1...1000, using: &random)
            let burst = Int.random(in: 1...20, using: &random)
            let limit = RateLimit(requestsPerSecond: rate, burst: burst)
            let scope = LimitScope(.route, name: "a", settings: LimitSettings(perAgent: limit))
            func refusal(at now: Int64) -> LimitStatus? {
                switch table.admit(scope, agent: .unnamed, now: MonotonicTime(nanoseconds: now)) {
                case .limited(let status): status
                default: nil
                }
            }
            var wait: Interval?
            while wait == nil { wait = refusal(at: 5)?.resetsIn }
            let nanoseconds = wait?.nanoseconds ?? 0
            #expect(refusal(at: 5 + nanoseconds - 1)?.resetsIn == Interval(nanoseconds: 1))
            #expect(refusal(at: 5 + nanoseconds) == nil)
        }
    }
}
