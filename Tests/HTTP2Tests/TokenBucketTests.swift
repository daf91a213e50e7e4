import Bytes
import Testing

@testable import HTTP2

@Suite("TokenBucket")
struct TokenBucketTests {
    private func time(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("The burst can be spent at once and no more")
    func burst() {
        var bucket = TokenBucket(HTTP2Allowance(burst: 3, perSecond: 0))
        let first = bucket.spend()
        #expect(first)
        let second = bucket.spend(2)
        #expect(second)
        let third = bucket.spend()
        #expect(!third)
        bucket.advance(to: time(1_000_000))
        let fourth = bucket.spend()
        #expect(!fourth)
    }

    @Test("Time grants anew, in steps however small, up to the burst")
    func refill() {
        var bucket = TokenBucket(HTTP2Allowance(burst: 10, perSecond: 10))
        bucket.advance(to: time(0))
        let first = bucket.spend(10)
        #expect(first)
        for step in 1...99 { bucket.advance(to: time(Int64(step))) }
        #expect(bucket.tokens == 0)
        bucket.advance(to: time(100))
        #expect(bucket.tokens == 1)
        bucket.advance(to: time(550))
        #expect(bucket.tokens == 5)
        bucket.advance(to: time(600))
        #expect(bucket.tokens == 6)
        bucket.advance(to: time(1_000_000_000))
        #expect(bucket.tokens == 10)
    }

    @Test("Time that passes while the bucket is full is not saved up")
    func full() {
        var bucket = TokenBucket(HTTP2Allowance(burst: 2, perSecond: 1))
        bucket.advance(to: time(0))
        bucket.advance(to: time(60_000))
        let first = bucket.spend(2)
        #expect(first)
        bucket.advance(to: time(60_999))
        let second = bucket.spend()
        #expect(!second)
        bucket.advance(to: time(61_000))
        let third = bucket.spend()
        #expect(third)
    }

    @Test("A clock that stands still or a huge rate grants no more than the burst", arguments: [1, Int.max])
    func extremes(_ rate: Int) {
        var bucket = TokenBucket(HTTP2Allowance(burst: 5, perSecond: rate))
        bucket.advance(to: time(5))
        let first = bucket.spend(5)
        #expect(first)
        bucket.advance(to: time(5))
        #expect(bucket.tokens == 0)
        bucket.advance(to: MonotonicTime(nanoseconds: .max))
        #expect(bucket.tokens == 5)
    }

    @Test("What is given back never exceeds the burst")
    func refund() {
        var bucket = TokenBucket(HTTP2Allowance(burst: 5, perSecond: 0))
        let first = bucket.spend(2)
        #expect(first)
        bucket.refund()
        #expect(bucket.tokens == 4)
        bucket.refund(9)
        #expect(bucket.tokens == 5)
    }
}
