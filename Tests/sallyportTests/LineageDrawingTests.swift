import Bytes
import Cryptography
import Delegation
import Testing

@testable import sallyport

@Suite("LineageDrawing")
struct LineageDrawingTests {
    private static let holders = [
        LineageDrawing.Holder(name: "planner", scopes: ["read:data:*", "write:data:*"]),
        LineageDrawing.Holder(name: "researcher", scopes: ["read:data:*"]),
        LineageDrawing.Holder(name: "reader", scopes: []),
    ]

    private func lines(_ fault: LineageFault? = nil, isVerified: Bool = true) -> [String] {
        LineageDrawing(holders: Self.holders, fault: fault, isVerified: isVerified).lines
    }

    @Test("Each holder has a line, under the one that passed it on, with what it may")
    func tree() {
        #expect(
            lines() == [
                "the first who passed it on at the top", "planner (read:data:* write:data:*)",
                "+- researcher (read:data:*)", "   +- reader (no scope told, holds the token)",
            ])
    }

    @Test("Where it breaks is marked, and at the top where it breaks as a whole", arguments: [nil, 0, 1, 2, 3])
    func breaks(link: Int?) {
        let told = lines(LineageFault(.signature, at: link), isVerified: false)
        let place = (0...2).contains(link ?? -1) ? (link ?? 0) + 1 : 0
        for (index, line) in told.enumerated() {
            #expect(line.contains("lineage.signature") == (index == place))
        }
        #expect(told[0].hasPrefix("as the token says, which is not verified"))
    }

    @Test("Who holds a token that nobody passed on needs no drawing")
    func alone() {
        let holders = [Self.holders[0]]
        #expect(LineageDrawing(holders: holders, fault: nil, isVerified: true).lines.isEmpty)
        #expect(!LineageDrawing(holders: holders, fault: LineageFault(.hash), isVerified: false).lines.isEmpty)
    }

    @Test("Of many scopes not all are told")
    func scopes() {
        let holder = LineageDrawing.Holder(name: "a", scopes: (0..<17).map { "s-\($0)" })
        let line = LineageDrawing(holders: [holder, holder], fault: nil, isVerified: true).lines[1]
        #expect(line.contains("s-15 ...") && !line.contains("s-16"))
    }
}

@Suite("StatedLineage")
struct StatedLineageTests {
    private func holders(_ claims: String) -> [String] {
        let compact = "e30.\(Base64URL.encode(claims.utf8.span)).AA"
        return StatedLineage.holders(in: compact.utf8.span).map { "\($0.name): \($0.scopes.joined(separator: " "))" }
    }

    @Test("Records are read however wrong they are")
    func records() {
        let claims = #"{"sub":"c","scope":["x"],"delegation_chain":[{"agent":"a","scope":["x","y"]},7,{"agent":1}]}"#
        #expect(holders(claims) == ["a: x y", "(nobody): ", "(nobody): ", "c: x"])
        #expect(holders(#"{"sub":"c","scope":"x y","delegation_chain":{}}"#) == ["c: x y"])
        #expect(holders("{}") == ["(nobody): "])
    }

    @Test("Actors are read from within, the subject first")
    func actors() {
        let claims = #"{"sub":"user","scope":"x","act":{"sub":"b","act":{"sub":"a"}}}"#
        #expect(holders(claims) == ["user: ", "a: ", "b: x"])
        #expect(holders(#"{"sub":"user","act":7}"#) == ["user: ", "(nobody): "])
    }

    @Test("What is no token says nothing", arguments: ["", "a.b", "e30.!.AA", "e30..AA"])
    func nothing(compact: String) {
        #expect(StatedLineage.holders(in: compact.utf8.span).isEmpty)
    }

    @Test("Of tokens that were made out of one another, each has its holder's key and tools")
    func attenuating() throws {
        let key = try PrivateKey.generate(.ed25519)
        func token(_ jwk: String, _ tools: String) -> String {
            let claims = #"{"cnf":{"jwk":\#(jwk)},"authorization_details":[{"type":"t","tools":{\#(tools)}}]}"#
            return "e30.\(Base64URL.encode(claims.utf8.span)).AA"
        }
        let jwk = key.publicJWK(keyID: nil, algorithm: nil)
        let chain = token(jwk, #""read:a":{},"read:b":{}"#) + ", " + token("{}", #""read:a":{}"#) + ",x"
        let told = StatedLineage.holders(in: token(jwk, "").utf8.span, after: chain.utf8.span)
        let name = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + key.publicKey.thumbprint.base64URL
        #expect(told.map(\.name) == [name, "(nobody)", "(unreadable)", name])
        #expect(told.map(\.scopes) == [["read:a", "read:b"], ["read:a"], [], []])
    }

    @Test("However long a chain is, the drawing is not")
    func bounded() {
        let records = repeatElement(#"{"agent":"a"}"#, count: 100).joined(separator: ",")
        #expect(holders(#"{"sub":"b","delegation_chain":[\#(records)]}"#).count == 19)
    }
}
