import Testing

@testable import Configuration

@Suite("DocumentParser")
struct DocumentParserTests {
    private func parse(_ text: String) -> (document: DocumentNode?, faults: [ConfigurationFault]) {
        let faults = FaultCollector(file: "f.yaml")
        return (DocumentParser(faults: faults).parse(text), faults.faults)
    }

    @Test(
        "Scalars are text, whatever YAML would make of them",
        arguments: ["off", "on", "1.3", "0x10", "1_000", "12:30:45", "yes"])
    func scalarsAreText(_ text: String) {
        let plain = parse("key: \(text)\n").document?.entry("key")?.value.content
        let quoted = parse("key: \"\(text)\"\n").document?.entry("key")?.value.content
        #expect(plain == .scalar(text))
        #expect(quoted == .scalar(text))
    }

    @Test("A plain null is nothing", arguments: ["", "~", "null"])
    func nothing(_ text: String) {
        #expect(parse("key: \(text)\n").document?.entry("key")?.value.content == .nothing)
    }

    @Test("A quoted null is text")
    func quotedNull() {
        #expect(parse("key: \"null\"\n").document?.entry("key")?.value.content == .scalar("null"))
    }

    @Test("Keys and values know their lines")
    func lines() {
        let document = parse("# comment\n\nfirst: 1\nsecond:\n  - a\n  - b\n").document
        #expect(document?.entry("first")?.line == 3)
        #expect(document?.entry("second")?.line == 4)
        guard case .sequence(let items) = document?.entry("second")?.value.content else {
            Issue.record("not a sequence")
            return
        }
        #expect(items.map(\.line) == [5, 6])
    }

    @Test("Every duplicate key is named with its line and key path")
    func duplicates() {
        let text = """
            workers: 1
            limits: { streams: 1, "streams": 2 }
            workers: 2
            audit:
              directory: a
              directory: b
              directory: c
            """
        let (_, faults) = parse(text)
        #expect(
            faults.map { "\($0.line ?? 0) \($0.keyPath)" } == [
                "2 limits.streams", "3 workers", "6 audit.directory", "7 audit.directory",
            ])
        #expect(
            faults.first { $0.keyPath == "workers" }?.message == "the key is given on line 1 already; keep one of them")
    }

    @Test("A key that YAML reads as a boolean and its quoted twin are duplicates")
    func duplicatesOfOtherTypes() {
        #expect(parse("on: 1\n\"on\": 2\n").faults.map(\.line) == [2])
    }

    @Test("Different keys are no duplicates")
    func noDuplicates() {
        #expect(parse("a: 1\nb: 2\n").faults.isEmpty)
    }

    @Test(
        "What points elsewhere is refused, line by line",
        arguments: [
            ("a: &x 1\nb: *x\n", [1, 2]), ("a: !secret b\n", [1]), ("- &x a\n", [1]), ("{a: [b, *c]}\n", [1]),
            ("a: !!str off\n", [1]), ("? &k a\n: 1\n", [1]),
        ])
    func indirections(_ text: String, _ lines: [Int]) {
        let (document, faults) = parse(text)
        #expect(document == nil)
        #expect(faults.map(\.line) == lines)
    }

    @Test(
        "Text that only looks like an alias is text",
        arguments: [
            "a: \"*x\"\n", "a: '&x'\n", "a: read:orders:*\n", "# &x *y\na: b\n", "a: b # *c\n",
            "a: \"say \\\"*x\\\"\"\n",
            "a: 'it''s *x'\n",
        ])
    func notIndirections(_ text: String) {
        #expect(parse(text).faults.isEmpty)
    }

    @Test("Nested aliases are refused without being expanded", .timeLimit(.minutes(1)))
    func billionLaughs() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...40 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n"
        }
        text += "? *a40\n: 1\n"
        #expect(parse(text).document == nil)
    }

    @Test(
        "What is not YAML is refused on its line",
        arguments: [
            ("a: b\nc: [d\n", 3), ("a: b: c\n", 1), ("a: 1\n\tb: 2\n", 2), ("a: \"\\q\"\n", 1),
        ])
    func notYAML(_ text: String, _ line: Int) {
        let (document, faults) = parse(text)
        #expect(document == nil)
        #expect(faults.map { $0.line ?? 0 }.allSatisfy { abs($0 - line) <= 1 })
        #expect(faults.count == 1)
    }

    @Test("A second document is refused")
    func twoDocuments() {
        #expect(parse("a: 1\n---\nb: 2\n").faults.map(\.line) == [2])
    }

    @Test("An empty file is refused", arguments: ["", "\n", "# nothing here\n"])
    func empty(_ text: String) {
        let (document, faults) = parse(text)
        #expect(document == nil)
        #expect(faults.count == 1)
    }

    @Test("A key that is not text is refused")
    func keyIsAList() {
        #expect(parse("? [a, b]\n: 1\n").faults.count == 1)
    }

    @Test("A file larger than a mebibyte is refused")
    func tooLarge() {
        #expect(parse("a: " + String(repeating: "b", count: 1 << 20)).document == nil)
        #expect(parse("a: " + String(repeating: "b", count: 1 << 19)).document != nil)
    }

    @Test("Deep nesting is an error, not a crash")
    func deepNesting() {
        #expect(parse(String(repeating: "[", count: 200_000)).document == nil)
    }
}
