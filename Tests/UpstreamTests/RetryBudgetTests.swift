import Bytes
import Testing
import Upstream

@Suite("RetryBudget")
struct RetryBudgetTests {
    private func taken(_ budget: inout RetryBudget, _ wanted: Int, at time: MonotonicTime) -> Int {
        (0..<wanted).count { _ in budget.takeRetry(now: time) }
    }

    @Test("Three are always allowed, whatever the share", arguments: [0, 20, 100])
    func minimum(_ percent: Int) {
        var budget = RetryBudget(percent: percent)
        #expect(taken(&budget, 10, at: Trial.time(100)) == 3)
    }

    @Test(
        "Beyond that the share of the requests of ten seconds is",
        arguments: [(20, 100, 20), (20, 19, 3), (20, 20, 4), (0, 1000, 3), (100, 50, 50)])
    func share(_ percent: Int, _ requests: Int, _ allowed: Int) {
        var budget = RetryBudget(percent: percent)
        for _ in 0..<requests { budget.requestBegan(now: Trial.time(5)) }
        #expect(taken(&budget, 2000, at: Trial.time(5)) == allowed)
    }

    @Test("Requests count for ten seconds and no longer")
    func window() {
        for age in Int64(0)...12 {
            var budget = RetryBudget(percent: 50)
            for _ in 0..<100 { budget.requestBegan(now: Trial.time(1000)) }
            #expect(taken(&budget, 200, at: Trial.time(1000 + age)) == (age < 10 ? 50 : 3))
        }
    }

    @Test("Further attempts are forgotten as they age")
    func recovers() {
        var budget = RetryBudget(percent: 0)
        #expect(taken(&budget, 1, at: Trial.time(0)) == 1)
        #expect(taken(&budget, 5, at: Trial.time(4)) == 2)
        #expect(taken(&budget, 5, at: Trial.time(9)) == 0)
        #expect(taken(&budget, 5, at: Trial.time(10)) == 1)
        #expect(taken(&budget, 5, at: Trial.time(14)) == 2)
        #expect(taken(&budget, 5, at: Trial.time(10_000)) == 3)
    }

    @Test("A clock that stands still or goes back changes nothing")
    func clock() {
        var budget = RetryBudget(percent: 100)
        for _ in 0..<10 { budget.requestBegan(now: Trial.time(100)) }
        #expect(taken(&budget, 5, at: Trial.time(99)) == 5)
        #expect(taken(&budget, 10, at: Trial.time(100)) == 5)
    }

    @Test("At all times the share is kept, as a count from scratch has it")
    func agrees() {
        var numbers = SeededNumbers(seed: 7)
        var budget = RetryBudget(percent: 20)
        var requests: [Int64] = []
        var retries: [Int64] = []
        var second: Int64 = 50
        for _ in 0..<5000 {
            second += Int64(numbers.below(40) == 0 ? numbers.below(13) : 0)
            let now = MonotonicTime(nanoseconds: second * 1_000_000_000 + Int64(numbers.below(1_000_000_000)))
            if numbers.below(3) > 0 {
                budget.requestBegan(now: now)
                requests.append(second)
            } else {
                let recent = requests.count { $0 > second - 10 }
                let isAllowed = retries.count { $0 > second - 10 } < max(3, recent * 20 / 100)
                #expect(budget.takeRetry(now: now) == isAllowed)
                if isAllowed { retries.append(second) }
            }
        }
        #expect(retries.count > 100)
    }
}
