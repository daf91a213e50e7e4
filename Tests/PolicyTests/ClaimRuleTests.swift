import Testing
import Tokens

@testable import Policy

@Suite("What a route asks of a claim")
struct ClaimRuleTests {
    @Test(
        "A claim has one of the values, or a list has it",
        arguments: [
            (.text("m-1"), true), (.text("m-2"), true), (.text("m-3"), false), (.text("M-1"), false),
            (.text("m-1 "), false), (.number(1), false), (.bool(true), false), (nil, false), (.list([]), false),
            (.list([.text("x"), .text("m-2")]), true), (.list([.text("x")]), false),
        ] as [(ClaimValue?, Bool)])
    func values(value: ClaimValue?, holds: Bool) {
        let rule = ClaimRule(name: "model", condition: .oneOf([.text("m-1"), .text("m-2")]))
        #expect(rule.holds(for: value) == holds)
    }

    @Test("Numbers and truth values are compared as such")
    func kinds() {
        let rule = ClaimRule(name: "x", condition: .oneOf([.number(1), .bool(true)]))
        #expect(rule.holds(for: .number(1)) && rule.holds(for: .bool(true)) && rule.holds(for: .list([.number(1)])))
        #expect(!rule.holds(for: .text("1")) && !rule.holds(for: .text("true")) && !rule.holds(for: .number(2)))
    }

    @Test("No value is wanted: none will do")
    func nothing() {
        #expect(!ClaimRule(name: "x", condition: .oneOf([])).holds(for: .text("")))
    }

    @Test(
        "A claim begins so, by its bytes",
        arguments: [
            (.text("tdx:abc"), true), (.text("tdx:"), true), (.text("tdx"), false), (.text("TDX:abc"), false),
            (.text(" tdx:"), false), (.number(1), false), (nil, false), (.list([.text("a"), .text("tdx:b")]), true),
            (.list([.number(1)]), false),
        ] as [(ClaimValue?, Bool)])
    func prefixes(value: ClaimValue?, holds: Bool) {
        #expect(ClaimRule(name: "attestation", condition: .prefix("tdx:")).holds(for: value) == holds)
    }

    @Test("A beginning is not taken for another spelling of its last character")
    func spelling() {
        let rule = ClaimRule(name: "x", condition: .prefix("caf\u{e9}"))
        #expect(rule.holds(for: .text("caf\u{e9}!")))
        #expect(!rule.holds(for: .text("cafe\u{301}!")))
    }
}
