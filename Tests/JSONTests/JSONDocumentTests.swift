import JSON
import Testing

/// What refuses `text`, or nothing where it is read.
func refusal(of text: String, limits: JSONLimits = .standard) -> JSONError? {
    refusal(of: Array(text.utf8), limits: limits)
}

func refusal(of bytes: [UInt8], limits: JSONLimits = .standard) -> JSONError? {
    do throws(JSONError) {
        _ = try JSONDocument(bytes.span, limits: limits)
        return nil
    } catch {
        return error
    }
}

@Suite("A JSON document")
struct JSONDocumentTests {
    @Test(
        "Each fault is named, with its offset; its twin is read",
        arguments: [
            (#""#, #"0"#, JSONError.truncated),
            (#"[1"#, #"[1]"#, .truncated),
            (#"{"a":"#, #"{"a":1}"#, .truncated),
            (#""abc"#, #""abc""#, .truncated),
            (#""abc\"#, #""abc\\""#, .truncated),
            (#"tru"#, #"true"#, .truncated),
            (#"-"#, #"-0"#, .truncated),
            (#"1.e1"#, #"1.0e1"#, .invalidNumber(at: 2)),
            (#"01"#, #"10"#, .invalidNumber(at: 0)),
            (#"-012"#, #"-120"#, .invalidNumber(at: 0)),
            (#"+1"#, #"1"#, .unexpectedByte(at: 0)),
            (#".5"#, #"0.5"#, .unexpectedByte(at: 0)),
            (#"1e+"#, #"1e+1"#, .truncated),
            (#"NaN"#, #"null"#, .unexpectedByte(at: 0)),
            (#"-Infinity"#, #"-1"#, .invalidNumber(at: 1)),
            (#"True"#, #"true"#, .unexpectedByte(at: 0)),
            (#"[1,]"#, #"[1,2]"#, .unexpectedByte(at: 3)),
            (#"[,1]"#, #"[1]"#, .unexpectedByte(at: 1)),
            (#"[1 2]"#, #"[1,2]"#, .unexpectedByte(at: 3)),
            (#"[1}"#, #"[1]"#, .unexpectedByte(at: 2)),
            (#"{"a":1,}"#, #"{"a":1}"#, .unexpectedByte(at: 7)),
            (#"{"a" 1}"#, #"{"a":1}"#, .unexpectedByte(at: 5)),
            (#"{a:1}"#, #"{"a":1}"#, .unexpectedByte(at: 1)),
            (#"{'a':1}"#, #"{"a":1}"#, .unexpectedByte(at: 1)),
            (#"{1:1}"#, #"{"1":1}"#, .unexpectedByte(at: 1)),
            (#"{} {}"#, #"{} "#, .trailingData(at: 3)),
            (#"1 // one"#, #"1 "#, .trailingData(at: 2)),
            (#""\x41""#, #""\u0041""#, .invalidEscape(at: 1)),
            (#""\u004""#, #""\u0040""#, .invalidEscape(at: 1)),
            (#""\u00g0""#, #""\u00a0""#, .invalidEscape(at: 1)),
            (#""\ud83d""#, #""\ud83d\ude00""#, .loneSurrogate(at: 1)),
            (#""\ud83dx\ude00""#, #""\ud83d\ude00x""#, .loneSurrogate(at: 1)),
            (#""\ud83d\ud83d""#, #""\ud83d\ude00""#, .loneSurrogate(at: 1)),
            (#""\ude00""#, #""\ud83d\ude00""#, .loneSurrogate(at: 1)),
            ("\"a\u{0}b\"", #""a\u0000b""#, .controlCharacter(at: 2)),
            ("\"a\nb\"", #""a\nb""#, .controlCharacter(at: 2)),
            ("\"a\tb\"", #""a\tb""#, .controlCharacter(at: 2)),
            ("\u{FEFF}{}", "{}", .byteOrderMark),
            ("\u{A0}1", "\r\n\t 1", .unexpectedByte(at: 0)),
        ])
    func faults(text: String, twin: String, error: JSONError) {
        #expect(refusal(of: text) == error)
        #expect(refusal(of: twin) == nil)
    }

    @Test(
        "Invalid UTF-8 is refused wherever it stands",
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(refusal(of: [quote] + bytes + [quote]) == .invalidUTF8(at: 1))
        #expect(refusal(of: [quote] + Array("é€😀".utf8) + [quote]) == nil)
        let name = Array("{\"".utf8) + bytes + Array("\":1}".utf8)
        #expect(refusal(of: name) == .invalidUTF8(at: 2))
    }

    @Test(
        "A name used twice is refused at every level, compared after unescaping",
        arguments: [
            (#"{"alg":1,"alg":2}"#, #"{"alg":1,"Alg":2}"#, 9),
            (#"{"alg":1,"al\u0067":2}"#, #"{"alg":1,"al\u0068":2}"#, 9),
            (#"{"\u0061lg":1,"\u0061lg":2}"#, #"{"\u0061lg":1,"\u0062lg":2}"#, 14),
            (#"{"":1,"":2}"#, #"{"":1," ":2}"#, 6),
            (#"{"cnf":{"jwk":1,"x":{},"jwk":1}}"#, #"{"cnf":{"jwk":1,"x":{},"jwt":1},"jwk":1}"#, 23),
            (#"[{"a":[1,{"b":2}],"c":3,"a":4}]"#, #"[{"a":[1,{"b":2,"a":0,"c":0}],"c":3,"d":4}]"#, 24),
            (#"{"😀":1,"\ud83d\ude00":2}"#, #"{"😀":1,"\ud83d\ude01":2}"#, 10),
        ])
    func duplicates(text: String, twin: String, offset: Int) {
        #expect(refusal(of: text) == .duplicateMember(at: offset))
        #expect(refusal(of: twin) == nil)
    }

    @Test("Text past a limit is refused, text at it is read")
    func limits() {
        let limits = JSONLimits(bytes: 40, depth: 3, members: 2)
        #expect(refusal(of: "[[[]]]", limits: limits) == nil)
        #expect(refusal(of: "[[[[]]]]", limits: limits) == .tooDeep(at: 3))
        #expect(refusal(of: #"[{"a":{}},{"a":{}}]"#, limits: limits) == nil)
        #expect(refusal(of: #"[{"a":{"b":{}}}]"#, limits: limits) == .tooDeep(at: 11))
        #expect(refusal(of: #"{"a":1,"b":{"c":1,"d":2}}"#, limits: limits) == nil)
        #expect(refusal(of: #"{"a":1,"b":2,"c":3}"#, limits: limits) == .tooManyMembers(at: 13))
        #expect(refusal(of: String(repeating: " ", count: 39) + "1", limits: limits) == nil)
        #expect(refusal(of: String(repeating: " ", count: 40) + "1", limits: limits) == .tooLarge)
        #expect(refusal(of: "1", limits: JSONLimits(bytes: 9, depth: 0, members: 0)) == nil)
        #expect(refusal(of: "[]", limits: JSONLimits(bytes: 9, depth: 0, members: 0)) == .tooDeep(at: 0))
    }

    @Test("A hundred thousand brackets cost no stack")
    func deepNesting() {
        let text = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(refusal(of: text) == .tooDeep(at: 16))
        #expect(refusal(of: text, limits: JSONLimits(bytes: 200_000, depth: 100_000, members: 0)) == nil)
    }

    @Test("No prefix of a text is a text")
    func prefixes() {
        let text = Array(#"{"a":[1.5e3,"\u00e9\n",{"b":null}],"c":true,"d":"😀"}"#.utf8)
        #expect(refusal(of: text) == nil)
        for length in 0..<text.count { #expect(refusal(of: Array(text.prefix(length))) != nil) }
    }

    @Test("A text with any one byte changed is read or refused, never fatal")
    func mutations() {
        let text = Array(#"{"a":[1.5e3,"\u00e9\n",{"b":null}],"c":true,"\ud83d\ude00":"é"}"#.utf8)
        var accepted = 0
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                if refusal(of: changed) == nil { accepted += 1 }
            }
        }
        #expect(accepted >= text.count)
    }
}
