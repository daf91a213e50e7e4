import Bytes
import Testing

@testable import Server

@Suite("Refusals that are told of")
struct RefusalPaceTests {
    @Test("One a second is told of at most, and how many there were")
    func pace() {
        var pace = RefusalPace()
        func told(_ milliseconds: Int64) -> Int? {
            pace.note(at: MonotonicTime(nanoseconds: milliseconds * 1_000_000))
        }
        #expect(told(5000) == 1)
        #expect(told(5001) == nil)
        #expect(told(5999) == nil)
        #expect(told(6000) == 3)
        #expect(told(8000) == 1)
    }
}
