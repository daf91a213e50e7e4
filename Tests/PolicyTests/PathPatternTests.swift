import HTTP
import Policy
import Testing

@Suite("Path patterns")
struct PathPatternTests {
    @Test(
        "A pattern matches the paths that it is for and no others",
        arguments: [
            ("/", "/", true), ("/", "/a", false),
            ("/a", "/a", true), ("/a", "/A", false), ("/a", "/a/", false), ("/a", "/", false), ("/a", "/a/b", false),
            ("/a/", "/a/", true), ("/a/", "/a", false),
            ("/orders/{id}", "/orders/42", true), ("/orders/{id}", "/orders/", false),
            ("/orders/{id}", "/orders", false),
            ("/orders/{id}", "/orders/42/", false), ("/orders/{id}", "/orders/42/lines", false),
            ("/orders/{id}", "/Orders/42", false), ("/orders/{id}", "/orders/%C3%A9", true),
            ("/{a}/{b}", "/x/y", true), ("/{a}/{b}", "/x/", false),
            ("/{a}/x/{b}", "/1/x/2", true), ("/{a}/x/{b}", "/1/y/2", false),
            ("/files/{p...}", "/files/a", true), ("/files/{p...}", "/files/a/b/c", true),
            ("/files/{p...}", "/files/a/", true), ("/files/{p...}", "/files/", false),
            ("/files/{p...}", "/files", false),
            ("/{all...}", "/", false), ("/{all...}", "/a", true),
        ])
    func matching(pattern: String, path: String, expected: Bool) throws {
        let pattern = try PathPattern(pattern)
        let target = try Trial.target(path)
        let isMatch = pattern.matches(target)
        #expect(isMatch == expected)
    }

    @Test(
        "Literals are compared as what they stand for, so that no spelling slips past them",
        arguments: [
            ("/a:b", "/a%3Ab", true), ("/a%3ab", "/a:b", true), ("/%41", "/A", true), ("/A", "/%41", true),
            ("/caf%c3%a9", "/caf%C3%A9", true), ("/a%20b", "/a%20b", true), ("/a%7Bb%7D", "/a%7bb%7d", true),
            ("/a", "/a%20", false), ("/a", "/./a", true), ("/a", "/b/../a", true), ("/a", "/a?b=c", true),
        ])
    func spelling(pattern: String, path: String, expected: Bool) throws {
        let pattern = try PathPattern(pattern)
        let target = try Trial.target(path)
        let isMatch = pattern.matches(target)
        #expect(isMatch == expected)
    }

    @Test("Parameters are named in their order")
    func names() throws {
        #expect(try PathPattern("/{a}/x/{b_2}/{Rest...}").parameterNames == ["a", "b_2", "Rest"])
        #expect(try PathPattern("/").parameterNames.isEmpty)
    }

    @Test(
        "A pattern that is malformed, or that nothing could ever match, is refused",
        arguments: [
            ("", .notAbsolute), ("a", .notAbsolute), ("{a}", .notAbsolute),
            ("//", .emptySegment), ("/a//b", .emptySegment),
            ("/{a}/{a}", .duplicateParameter("a")), ("/{a}/{a...}", .duplicateParameter("a")),
            ("/{a...}/b", .restNotLast("a")), ("/{a...}/", .restNotLast("a")),
            ("/a{b}", .partialParameter("a{b}")), ("/{b}a", .partialParameter("{b}a")), ("/{", .partialParameter("{")),
            ("/}", .partialParameter("}")), ("/{a", .partialParameter("{a")),
            ("/{}", .parameterName("")), ("/{...}", .parameterName("")), ("/{a-b}", .parameterName("a-b")),
            ("/{1a}", .parameterName("1a")), ("/{a b}", .parameterName("a b")), ("/{é}", .parameterName("é")),
            ("/{a}{b}", .parameterName("a}{b")), ("/{a....}", .parameterName("a.")),
            ("/.", .unreachable(".", nil)), ("/..", .unreachable("..", .aboveRoot)),
            ("/a?b", .unreachable("a?b", nil)), ("/a#b", .unreachable("a#b", .character)),
            ("/a b", .unreachable("a b", .character)), ("/a;b", .unreachable("a;b", .segmentParameter)),
            ("/a\\b", .unreachable("a\\b", .character)), ("/é", .unreachable("é", .character)),
            ("/a%2fb", .unreachable("a%2fb", .encodedSeparator)), ("/a%2", .unreachable("a%2", .escape)),
            ("/a%00", .unreachable("a%00", .encodedControl)), ("/%2e", .unreachable("%2e", .encodedDotSegment)),
            ("/a%252f", .unreachable("a%252f", .doubleEncoding)),
        ] as [(String, PathPatternError)])
    func refused(text: String, expected: PathPatternError) {
        #expect(throws: expected) { try PathPattern(text) }
    }
}
