import Bytes
import JSON
import Testing

private func withRoot<R>(_ text: String, _ body: (JSONValue) throws -> R) throws -> R {
    let document = try JSONDocument(text.utf8.span)
    return try body(document.root)
}

@Suite("A JSON value")
struct JSONValueTests {
    @Test(
        "A value is of one kind and answers nothing for the others",
        arguments: [
            ("null", JSONKind.null), ("true", .bool), ("1", .number), (#""1""#, .string), ("[1]", .array),
            (#"{"a":1}"#, .object),
        ])
    func kinds(text: String, kind: JSONKind) throws {
        try withRoot(text) { value in
            let isNull = value.isNull
            let truth = value.bool
            let integer = value.integer
            let number = value.number
            let string = value.string
            let count = value.count
            let hasElement = value.elements.hasOne
            let hasMember = value.member("a") != nil
            let found = value.kind
            #expect(found == kind)
            #expect(isNull == (kind == .null))
            #expect((truth != nil) == (kind == .bool))
            #expect((integer != nil) == (kind == .number))
            #expect((number != nil) == (kind == .number))
            #expect((string != nil) == (kind == .string))
            #expect((count == 1) == (kind == .array || kind == .object))
            #expect(hasElement == (kind == .array))
            #expect(hasMember == (kind == .object))
        }
    }

    @Test(
        "An integer is what is written as one and fits",
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-42", -42), ("1700000000", 1_700_000_000),
            ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("100000000000000000000", nil),
            ("1.0", nil), ("1e3", nil), (#""1""#, nil), ("true", nil),
        ] as [(String, Int64?)])
    func integers(text: String, expected: Int64?) throws {
        #expect(try withRoot(text) { $0.integer } == expected)
    }

    @Test(
        "A number is the nearest double where that is finite",
        arguments: [
            ("0", 0), ("1.5", 1.5), ("-2.5e-1", -0.25), ("1E3", 1000), ("1700000000.25", 1_700_000_000.25),
            ("1e400", nil), ("-1e400", nil), ("1e-400", 0), (#""1.5""#, nil), ("null", nil),
        ] as [(String, Double?)])
    func numbers(text: String, expected: Double?) throws {
        #expect(try withRoot(text) { $0.number } == expected)
    }

    @Test(
        "A string is unescaped",
        arguments: [
            (#""""#, ""), (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""x\ud83d\ude00y""#, "x😀y"), (#""\u0000""#, "\u{0}"),
            ("\"é€😀\u{7F}\"", "é€😀\u{7F}"), (#""\uffff""#, "\u{FFFF}"),
        ])
    func strings(text: String, expected: String) throws {
        #expect(try withRoot(text) { $0.string } == expected)
        #expect(try withRoot(text) { $0.equals(utf8: expected) })
        #expect(try !withRoot(text) { $0.equals(utf8: expected + "x") })
    }

    @Test("A string is compared byte for byte, unescaped, without being made")
    func comparison() throws {
        #expect(try withRoot(#""ES\u0032\u0035\u0036""#) { $0.equals("ES256") })
        #expect(try !withRoot(#""es256""#) { $0.equals("ES256") })
        #expect(try !withRoot("256") { $0.equals("256") })
        #expect(try withRoot(#""ES\u003256""#) { $0.text?.equals("ES256") == true })
        #expect(try withRoot("256") { $0.text == nil })
    }

    @Test("Members are found by their unescaped name, at the right level only")
    func members() throws {
        try withRoot(#"{"a":{"b":1,"c":[{"d":2}]},"\u0064":3,"e":[],"":4}"#) { root in
            let inner = root.member("a")?.member("b")?.integer
            let viaArray = root.member("a")?.member("c")?.firstElement?.member("d")?.integer
            let escaped = root.member("d")?.integer
            let byString = root.member(named: "e")?.kind
            let empty = root.member("")?.integer
            let nested = root.member("b") == nil
            let count = root.count
            #expect(inner == 1)
            #expect(viaArray == 2)
            #expect(escaped == 3)
            #expect(byString == .array)
            #expect(empty == 4)
            #expect(nested)
            #expect(count == 4)
        }
    }

    @Test("Members and elements come in order, each once")
    func iteration() throws {
        let names = try withRoot(#"{"a":[1,[2,3],{"x":4}],"b":{},"c":"s"}"#) { root in
            var names: [String] = []
            var members = root.members
            while let member = members.next() {
                names.append((String(validating: member.name) ?? "?") + String(member.value.count))
            }
            return names
        }
        #expect(names == ["a3", "b0", "c0"])
        let elements = try withRoot(#"[1,[2,[3]],{"x":[4]},"s"]"#) { root in
            var raws: [String] = []
            var elements = root.elements
            while let element = elements.next() { raws.append(element.rawString ?? "?") }
            return raws
        }
        #expect(elements == ["1", "[2,[3]]", #"{"x":[4]}"#, #""s""#])
    }

    @Test("The bytes of a value are those that were written")
    func raw() throws {
        let text = #" { "chain" : [ {"a":"\u0041"} , 1.50 ] , "s" : "\n" } "#
        try withRoot(text) { root in
            let chain = root.member("chain")?.rawString
            let range = root.member("chain")?.rawRange
            let string = root.member("s")?.rawString
            let whole = root.rawString
            #expect(chain == #"[ {"a":"\u0041"} , 1.50 ]"#)
            #expect(range == ByteRange(start: 13, count: 25))
            #expect(string == #""\n""#)
            #expect(whole == text.dropFirst().dropLast().description)
        }
    }
}

extension JSONElements {
    fileprivate var hasOne: Bool {
        var copy = self
        return copy.next() != nil
    }
}

extension JSONValue {
    fileprivate var rawString: String? { String(validating: raw) }

    fileprivate var firstElement: JSONValue? {
        @_lifetime(copy self)
        get {
            var elements = self.elements
            return elements.next()
        }
    }
}
