import Bytes
import HTTP
import Testing

@Suite("NormalizedTarget")
struct NormalizedTargetTests {
    struct Reading: Equatable {
        var path: String
        var query: String?
        var segments: [String]
        var decoded: [String]
    }

    static func text(_ bytes: Span<UInt8>) -> String { String(decoding: Array(copying: bytes), as: UTF8.self) }

    static func read(_ target: [UInt8]) throws(TargetError) -> Reading {
        var normalized = NormalizedTarget()
        try normalized.normalize(target.span)
        return reading(normalized)
    }

    static func read(_ target: String) throws(TargetError) -> Reading { try read(Array(target.utf8)) }

    static func reading(_ target: borrowing NormalizedTarget) -> Reading {
        var result = Reading(path: text(target.path), query: nil, segments: [], decoded: [])
        if let query = target.query { result.query = text(query) }
        for index in 0..<target.segmentCount {
            result.segments.append(text(target.segment(index)))
            result.decoded.append(text(target.decodedSegment(index)))
        }
        return result
    }

    @Test(
        "A path is brought into its one form",
        arguments: [
            ("/", "/", []),
            ("/a", "/a", ["a"]),
            ("/a/", "/a/", ["a", ""]),
            ("/a/b", "/a/b", ["a", "b"]),
            ("/%7Euser/%41%2d", "/~user/A-", ["~user", "A-"]),
            ("/a%2ejson", "/a.json", ["a.json"]),
            ("/a%c3%a9", "/a%C3%A9", ["aé"]),
            ("/a%20b", "/a%20b", ["a b"]),
            ("/a%3bb", "/a%3Bb", ["a;b"]),
            ("/a%3ab:c", "/a%3Ab:c", ["a:b:c"]),
            ("/100%25", "/100%25", ["100%"]),
            ("/100%25/x", "/100%25/x", ["100%", "x"]),
            ("/5%25g0", "/5%25g0", ["5%g0"]),
            ("/!$&'()*+,=:@-._~", "/!$&'()*+,=:@-._~", ["!$&'()*+,=:@-._~"]),
            ("/.", "/", []),
            ("/./", "/", []),
            ("/./a", "/a", ["a"]),
            ("/a/.", "/a/", ["a", ""]),
            ("/a/..", "/", []),
            ("/a/../", "/", []),
            ("/a/../b", "/b", ["b"]),
            ("/a/b/..", "/a/", ["a", ""]),
            ("/a/b/../c", "/a/c", ["a", "c"]),
            ("/a%20/../b%20/c", "/b%20/c", ["b ", "c"]),
            ("/a/b/c/./../../g", "/a/g", ["a", "g"]),
            ("/...", "/...", ["..."]),
            ("/.a/..b/c..", "/.a/..b/c..", [".a", "..b", "c.."]),
        ] as [(String, String, [String])])
    func normalises(target: String, path: String, decoded: [String]) throws {
        let reading = try Self.read(target)
        #expect(reading.path == path)
        #expect(reading.decoded == decoded)
        #expect(reading.query == nil)
        #expect(reading.segments.isEmpty ? path == "/" : "/" + reading.segments.joined(separator: "/") == path)
        #expect(try Self.read(path) == reading, "the normalised form is its own")
    }

    @Test(
        "An ambiguous or malformed path is refused, and its harmless twin is not",
        arguments: [
            ("", "/", .form), ("a", "/a", .form), ("*", "/*", .form), ("http://h/", "/http:/h", .form),
            ("?a", "/?a", .form),
            ("/a//b", "/a/b", .emptySegment), ("//a", "/a", .emptySegment), ("/a//", "/a/", .emptySegment),
            ("//", "/", .emptySegment), ("/a/..//b", "/a/../b", .emptySegment),
            ("/a;b", "/a,b", .segmentParameter), ("/a/..;/b", "/a/../b", .segmentParameter),
            ("/a%2Fb", "/a%2Eb", .encodedSeparator), ("/a%2fb", "/a/b", .encodedSeparator),
            ("/a%5Cb", "/a%5Bb", .encodedSeparator), ("/a\\b", "/ab", .character),
            ("/a%00", "/a%20", .encodedControl), ("/a%0d%0a", "/a%21", .encodedControl),
            ("/a%1F", "/a%21", .encodedControl), ("/a%7f", "/a%7e", .encodedControl),
            ("/a%252e", "/a%25g", .doubleEncoding), ("/a%2500", "/a%25-00", .doubleEncoding),
            ("/a%25%32%46", "/a%25%32", .doubleEncoding), ("/%25aF", "/%25a", .doubleEncoding),
            ("/%2e%2e/b", "/b", .encodedDotSegment), ("/a/.%2e/b", "/a/../b", .encodedDotSegment),
            ("/a/%2E", "/a/.", .encodedDotSegment), ("/a/%2e./b", "/a/%2e.b", .encodedDotSegment),
            ("/..", "/a/..", .aboveRoot), ("/../a", "/a", .aboveRoot), ("/a/../..", "/a/b/../..", .aboveRoot),
            ("/./..", "/./a/..", .aboveRoot),
            ("/%", "/%25", .escape), ("/%4", "/%41", .escape), ("/%4g", "/%4f", .escape), ("/%%41", "/%41", .escape),
            ("/a#b", "/ab", .character), ("/a b", "/a%20b", .character), ("/a\tb", "/ab", .character),
            ("/a\u{0}", "/a", .character), ("/é", "/%C3%A9", .character), ("/a\u{7f}", "/a", .character),
            ("/a<b", "/a%3Cb", .character), ("/a\"b", "/a%22b", .character), ("/a[b]", "/a%5Bb%5D", .character),
            ("/%C0%AF", "/%C3%AF", .encoding), ("/%ff", "/%C3%BF", .encoding), ("/%C3/%A9", "/%C3%A9", .encoding),
            ("/%E0%80%AF", "/%E0%A4%AF", .encoding), ("/%ED%A0%80", "/%ED%9F%80", .encoding),
        ] as [(String, String, TargetError)])
    func refuses(target: String, twin: String, error: TargetError) throws {
        #expect(throws: error) { try Self.read(target) }
        _ = try Self.read(twin)
    }

    @Test("A raw byte of 128 or more is refused", arguments: [0x80, 0xFF] as [UInt8])
    func refusesRawBytes(byte: UInt8) {
        #expect(throws: TargetError.character) { try Self.read([UInt8(ascii: "/"), byte]) }
        #expect(throws: TargetError.character) { try Self.read(Array("/?".utf8) + [byte]) }
    }

    @Test(
        "A query is passed on as it came",
        arguments: [
            "", "a=b", "a=%2e%2F%00", "a[]=1&b={x|y}^`", "?/;:@!$'()*+,=", "a//..//b", "%c3%a9", "%ff",
        ])
    func keepsQuery(query: String) throws {
        let reading = try Self.read("/a/../b?" + query)
        #expect(reading.query == query)
        #expect(reading.path == "/b")
    }

    @Test(
        "A query with a character that must be encoded is refused",
        arguments: [
            ("a b", "a+b", .character), ("a#b", "a%23b", .character), ("a\"", "a%22", .character),
            ("<", "%3C", .character), (">", "%3E", .character), ("\\", "%5C", .character), ("é", "%C3%A9", .character),
            ("a\u{0}", "a", .character), ("a\r", "a", .character), ("a\u{7f}", "a", .character),
            ("%", "%25", .escape), ("%4", "%44", .escape), ("%zz", "%aa", .escape),
        ] as [(String, String, TargetError)])
    func refusesQuery(query: String, twin: String, error: TargetError) throws {
        #expect(throws: error) { try Self.read("/?" + query) }
        #expect(try Self.read("/?" + twin).query == twin)
    }

    @Test("A value that is used again holds nothing of the target before")
    func reuses() throws {
        var target = NormalizedTarget()
        try target.normalize(Array("/a%20b/c?q".utf8).span)
        #expect(throws: TargetError.aboveRoot) { try target.normalize(Array("/d%20/../..".utf8).span) }
        #expect(Self.reading(target) == Reading(path: "", query: nil, segments: [], decoded: []))
        try target.normalize(Array("/e".utf8).span)
        #expect(Self.reading(target) == Reading(path: "/e", query: nil, segments: ["e"], decoded: ["e"]))
    }

    @Test(
        "A parameter is found under every spelling of its name",
        arguments: [
            ("access_token=x", true), ("access_token", true), ("a=b&access_token=x", true), ("a;access_token=x", true),
            ("%61ccess%5Ftoken=x", true), ("access_token=", true), ("&&access_token", true), ("access_token=x&a", true),
            ("", false), ("access_toke=x", false), ("access_tokens=x", false), ("a=access_token", false),
            ("access+token=x", false), ("access%20token", false), ("Access_token=x", false), ("xaccess_token=", false),
        ])
    func findsParameter(query: String, expected: Bool) throws {
        var target = NormalizedTarget()
        try target.normalize(Array("/?\(query)".utf8).span)
        let found = target.hasQueryParameter(named: "access_token")
        #expect(found == expected)
        try target.normalize(Array("/access_token".utf8).span)
        let foundInPath = target.hasQueryParameter(named: "access_token")
        #expect(!foundInPath)
    }

    @Test("A plus sign in a parameter's name is a space")
    func readsPlusAsSpace() throws {
        var target = NormalizedTarget()
        try target.normalize(Array("/?a+b=1".utf8).span)
        let found = target.hasQueryParameter(named: "a b")
        #expect(found)
    }

    @Test("Whatever is accepted is its own normal form, and decodes to what it says")
    func isIdempotent() {
        var random = SplitMix(seed: 20_261_121)
        let pieces = [
            "/", ".", "..", "%2e", "%2E", "%2f", "a", "~", "%7e", "%25", "%32", "%46", "46", "%41", "%C3%A9", "%c3",
            ";", "%",
            "%3b", "+", "%20", "b",
        ]
        var accepted = 0
        for _ in 0..<20_000 {
            var target = "/"
            for _ in 0..<random.below(8) { target += pieces[random.below(pieces.count)] }
            guard let reading = try? Self.read(target) else { continue }
            accepted += 1
            #expect((try? Self.read(reading.path)) == reading, "\(target)")
            #expect(
                !reading.decoded.contains("..") && !reading.decoded.contains(".") && !reading.decoded.contains("a/"))
        }
        #expect(accepted > 1000)
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
