import Bytes
import Testing

@testable import Control

@Suite("PollMessage")
struct PollMessageTests {
    private func question(
        _ returnImmediately: Bool = true, acks: [String] = [], refusals: [String: PollMessage.Refusal] = [:]
    ) -> String {
        let bytes = PollMessage.question(
            returnImmediately: returnImmediately, acknowledging: acks, refusing: refusals)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func answer(_ text: String) -> PollMessage.Answer? { PollMessage.answer(text.utf8.span) }

    @Test("A question tells what became of what came before")
    func questions() {
        #expect(question() == #"{"maxEvents":100,"returnImmediately":true}"#)
        #expect(question(false) == #"{"maxEvents":100,"returnImmediately":false}"#)
        #expect(question(acks: ["a", "b"]) == #"{"maxEvents":100,"returnImmediately":true,"ack":["a","b"]}"#)
        let refusal = PollMessage.Refusal(code: "invalid_key", description: "no")
        #expect(
            question(refusals: ["b": refusal, "a\"": refusal])
                == #"{"maxEvents":100,"returnImmediately":true,"setErrs":{"a\"":{"err":"invalid_key","description":"no"},"#
                + #""b":{"err":"invalid_key","description":"no"}}}"#)
    }

    @Test("An answer has tokens by their names, and says whether there are more")
    func answers() {
        #expect(answer(#"{"sets":{}}"#) == PollMessage.Answer(tokens: [], moreAvailable: false))
        #expect(
            answer(#"{"moreAvailable":true,"sets":{"a":"x.y.z","b":""}}"#)
                == PollMessage.Answer(tokens: [("a", Array("x.y.z".utf8)), ("b", [])], moreAvailable: true))
    }

    @Test(
        "Anything else is no answer",
        arguments: [
            "", "{}", "[]", #"{"sets":[]}"#, #"{"sets":{"a":7}}"#, #"{"sets":{"a":"x","a":"y"}}"#,
            #"{"sets":{},"moreAvailable":"true"}"#, #"{"sets":{}} "x""#,
        ])
    func malformed(text: String) {
        #expect(answer(text) == nil)
    }
}
