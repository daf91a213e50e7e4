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
        #expect(AnswerLength(status: status, framing: framing, toHead: toHead, toTunnel: false) == length)
    }

    @Test("What opens a tunnel has no length, what refuses it has", arguments: [(UInt16(200), true), (403, false)])
    func tunnel(_ status: UInt16, _ isAbsent: Bool) {
        let length = AnswerLength(status: status, framing: .none, toHead: false, toTunnel: true)
        #expect(length == (isAbsent ? .absent : .exactly(0)))
    }
}
