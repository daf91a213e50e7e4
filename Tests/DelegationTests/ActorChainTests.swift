import Bytes
import Delegation
import Identity
import JSON
import Testing

@Suite("The actors of a token")
struct ActorChainTests {
    private func read(_ text: String) throws -> Result<ActorChain, LineageFault> {
        let document = try JSONDocument(text.utf8.span, limits: JSONLimits(bytes: 4096, depth: 32, members: 64))
        do throws(LineageFault) {
            return .success(try ActorChain(document.root))
        } catch {
            return .failure(error)
        }
    }

    @Test("The standard's example: the outermost actor is the present one, and the oldest is recorded first")
    func standard() throws {
        let act = #"{"sub":"https://service16.example.com","act":{"sub":"https://service77.example.com"}}"#
        let actors = try read(act).get()
        #expect(actors.current == "https://service16.example.com" && actors.currentID == nil)
        #expect(
            actors.lineage(of: "user@example.com").links.map(\.agent)
                == ["user@example.com", "https://service77.example.com"])
    }

    @Test("An actor alone acts for the subject, which passed it on")
    func single() throws {
        let actors = try read(#"{"sub":"spiffe://example.test/a"}"#).get()
        #expect(actors.currentID?.text == "spiffe://example.test/a")
        #expect(actors.lineage(of: "user") == Lineage([LineageLink(agent: "user")]))
    }

    @Test(
        "What is about no identity means nothing, and an issuer may stand beside a name",
        arguments: [#"{"sub":"a","exp":0,"aud":7,"scope":null}"#, #"{"sub":"a","iss":"https://i"}"#])
    func ignored(act: String) throws {
        #expect(try read(act).get().names == ["a"])
    }

    @Test(
        "An actor is an object with a name",
        arguments: [
            "null", "1", #""a""#, "[]", "{}", #"{"sub":null}"#, #"{"sub":1}"#, #"{"sub":""}"#, #"{"sub":"a b"}"#,
            #"{"sub":"SPIFFE://example.test/a"}"#, #"{"sub":"spiffe://example.test"}"#, #"{"sub":"a","iss":1}"#,
            #"{"sub":"a","act":null}"#, #"{"sub":"a","act":{"sub":"b","act":{}}}"#,
        ])
    func forms(act: String) throws {
        #expect(try read(act) == .failure(LineageFault(.form)))
    }

    @Test("There are at most sixteen actors", arguments: [(16, true), (17, false)])
    func depth(count: Int, isRead: Bool) throws {
        var act = #"{"sub":"a-0"}"#
        for number in 1..<count { act = #"{"sub":"a-\#(number)","act":\#(act)}"# }
        let read = try read(act)
        if isRead {
            #expect(try read.get().lineage(of: "user").depth == count)
        } else {
            #expect(read == .failure(LineageFault(.depth)))
        }
    }
}
