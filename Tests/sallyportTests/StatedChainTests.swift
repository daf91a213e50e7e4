import Bytes
import Support
import Testing

@testable import sallyport

@Suite("StatedChain")
struct StatedChainTests {
    private func holders(_ leaf: [UInt8], after chain: [UInt8]) -> [LineageDrawing.Holder] {
        StatedChain.holders(of: leaf.span, after: chain.span)
    }

    @Test("Each token of a chain is told by its holder's key and its tools, the last one too")
    func chain() throws {
        let agents = try Delegators.standard()
        let narrowed = Delegators.Change(["authorization_details": Delegators.details(#"{"read:orders":{}}"#)])
        let tokens = try agents.chain(2, [2: narrowed])
        let all = ["read:orders", "list:orders"]
        let expected = [(0, all), (1, all), (2, ["read:orders"])].map { place, tools in
            LineageDrawing.Holder(name: agents.name(place), scopes: tools)
        }
        #expect(holders(tokens[2], after: tokens.dropLast().listed) == expected)
        #expect(holders(tokens[2], after: []) == [expected[2]])
    }

    @Test("What is no token is somebody whom nobody knows, and of a long list not all is read")
    func garbage() {
        let nobody = LineageDrawing.Holder(name: "(nobody)", scopes: [])
        #expect(
            holders(Array("e30.e30.AA".utf8), after: Array("x, ,e30.W10.AA".utf8)) == [nobody, nobody, nobody, nobody])
        let long = Array(String(repeating: "x,", count: 100).utf8)
        #expect(holders([], after: long).count < 30)
    }

    @Test("A token says that it comes in chains by its type")
    func kind() throws {
        func isOne(_ token: [UInt8]) -> Bool { StatedChain.isOne(token.span) }
        #expect(try isOne(Delegators.standard().chain(0)[0]))
        #expect(try !isOne(Broker.standard().token()))
        #expect(!isOne([]))
    }
}
