import Exchange
import Testing

@testable import Server

@Suite("Inquiries of a worker")
struct InquiriesTests {
    private final class Waiter {}

    private func event(_ number: Int, feed: String = "signals") -> Question {
        .event(feed: feed, body: Array("event \(number)".utf8), authorization: nil)
    }

    private func isOpened(_ inquiries: inout Inquiries<Waiter>, _ question: Question) -> UInt64? {
        guard case .opened(let number) = inquiries.open(question, for: Waiter()) else { return nil }
        return number
    }

    @Test("Four events of a feed are open at most, whatever is open of others")
    func events() throws {
        var inquiries = Inquiries<Waiter>()
        var numbers: [UInt64] = []
        for number in 0..<4 { numbers.append(try #require(isOpened(&inquiries, event(number)))) }
        #expect(isOpened(&inquiries, event(4)) == nil)
        #expect(isOpened(&inquiries, event(4, feed: "other")) != nil)
        #expect(isOpened(&inquiries, .statusList(issuer: "https://a", uri: "https://a/1")) != nil)
        _ = inquiries.close(numbers[0])
        #expect(isOpened(&inquiries, event(4)) != nil)
    }

    @Test("The same event that comes twice is asked about once")
    func joined() {
        var inquiries = Inquiries<Waiter>()
        let number = isOpened(&inquiries, event(1))
        #expect(number != nil)
        guard case .joined = inquiries.open(event(1), for: Waiter()) else {
            Issue.record("it is asked twice")
            return
        }
        #expect(number.flatMap { inquiries.close($0) }?.calls.count == 2)
    }
}

@Suite("Receptions of a worker")
struct ReceptionsTests {
    private final class Waiter {}

    @Test("So many events may be on their way in, and one that has come makes room")
    func bound() {
        var receptions = Receptions()
        let waiters = (0..<Receptions.limit).map { _ in Waiter() }
        for waiter in waiters {
            let isOpen = receptions.open(for: waiter)
            #expect(isOpen)
        }
        let late = Waiter()
        let isFull = !receptions.open(for: late)
        #expect(isFull)
        receptions.close(for: late)
        receptions.close(for: waiters[0])
        receptions.close(for: waiters[0])
        let hasRoom = receptions.open(for: late)
        #expect(hasRoom)
        let isFullAgain = !receptions.open(for: waiters[0])
        #expect(isFullAgain)
    }
}
