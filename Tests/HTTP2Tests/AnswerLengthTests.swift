import HTTP
import Testing

@testable import HTTP2

@Suite("AnswerLength")
struct AnswerLengthTests {
    static let cases: [(UInt16, BodyFraming, Bool, AnswerLength)] = [
        (200, .length(5), false, .exactly(5)), (200, .none, false, .exactly(0)), (200, .streamed, false, .absent),
        (200, .untilClose, false, .absent), (200, .length(5), true, .exactly(5)), (200, .none, true, .asGiven),
        (304, .none, false, .asGiven), (304, .length(5), false, .exactly(5)), (204, .none, false, .absent),
        (204, .length(5), true, .absent), (100, .none, false, .absent), (199, .length(5), false, .absent),
        (500, .none, false, .exactly(0)),
    ]

    @Test("The length follows status, framing and method", arguments: cases)
    func length(_ status: UInt16, _ framing: BodyFraming, _ toHead: Bool, _ length: AnswerLength) {
        #expect(AnswerLength(status: status, framing: framing, toHead: toHead) == length)
    }
}
