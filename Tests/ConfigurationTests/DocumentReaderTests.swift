import Bytes
import Testing

@testable import Configuration

@Suite("DocumentReader")
struct DocumentReaderTests {
    private let faults = FaultCollector(file: "f.yaml")

    /// A reader of the value of `key` in `key: TEXT`.
    private func reader(_ text: String) throws -> DocumentReader {
        let document = try #require(DocumentParser(faults: faults).parse("key: \(text)\n"))
        let section = try #require(DocumentReader(document: document, faults: faults).section(["key"]))
        return try #require(section.optional("key"))
    }

    @Test("Flags are true or false", arguments: [("true", true), ("false", false), ("\"true\"", true)])
    func flags(_ text: String, _ value: Bool) throws {
        #expect(try reader(text).flag() == value)
        #expect(faults.isEmpty)
    }

    @Test("Other spellings of flags are refused", arguments: ["yes", "off", "True", "1", "", "[true]"])
    func notFlags(_ text: String) throws {
        #expect(try reader(text).flag() == nil)
        #expect(faults.faults.count == 1)
    }

    @Test("Numbers lie within their range", arguments: [("1", 1), ("10", 10)])
    func numbers(_ text: String, _ value: Int) throws {
        #expect(try reader(text).number(in: 1...10) == value)
    }

    @Test(
        "Other numbers are refused",
        arguments: ["0", "11", "-1", "1.5", "1e1", "0x1", "007", "99999999999999999999", "one"])
    func notNumbers(_ text: String) throws {
        #expect(try reader(text).number(in: 1...10) == nil)
        #expect(faults.faults.map(\.message).allSatisfy { $0.contains("from 1 to 10") })
        #expect(faults.faults.count == 1)
    }

    @Test("Durations lie within their range")
    func durations() throws {
        #expect(try reader("5m").duration(in: .zero ... .seconds(300)) == .seconds(300))
        #expect(faults.isEmpty)
        #expect(try reader("301s").duration(in: .zero ... .seconds(300)) == nil)
        #expect(faults.faults.map(\.message) == ["the duration is out of range; write one from 0ms to 5m"])
    }

    @Test("A list names what it repeats")
    func repetition() throws {
        #expect(try reader("[a, b]").distinct(atLeastOne: "name") { $0.text() } == ["a", "b"])
        #expect(faults.isEmpty)
        #expect(try reader("[a, b, a]").distinct(atLeastOne: "name") { $0.text() } == nil)
        #expect(faults.faults.map(\.keyPath) == ["key[2]"])
    }

    @Test("An empty list is refused where one item is wanted")
    func emptyList() throws {
        #expect(try reader("[]").distinct(atLeastOne: "name") { $0.text() } == nil)
        #expect(faults.faults.map(\.message) == ["the list is empty; write at least one name"])
    }

    @Test("An unknown key is named with the nearest known one")
    func unknownKey() throws {
        let section = try reader("{ certificat: a, zzz: b }").section(["certificate", "identity"])
        #expect(section != nil)
        #expect(faults.faults.map(\.keyPath) == ["key.certificat", "key.zzz"])
        #expect(faults.faults[0].message == "there is no such key; did you mean certificate?")
        #expect(faults.faults[1].message == "there is no such key; remove it, or use certificate or identity")
    }

    @Test("A known key is not")
    func knownKey() throws {
        #expect(try reader("{ certificate: a }").section(["certificate", "identity"]) != nil)
        #expect(faults.isEmpty)
    }

    @Test("A missing key is named with its path")
    func missingKey() throws {
        let section = try #require(try reader("{ a: 1 }").section(["a", "b"]))
        #expect(section.required("a", "a number") != nil)
        #expect(faults.isEmpty)
        #expect(section.required("b", "a number") == nil)
        #expect(faults.faults.map(\.description) == ["f.yaml:1: key.b: the key is missing; write a number"])
    }

    @Test("Control characters of a value do not reach the operator's terminal")
    func quoting() {
        #expect(DocumentReader.quoted("a\u{1B}[2Jb\n") == "\"a?[2Jb?\"")
        #expect(DocumentReader.quoted(String(repeating: "x", count: 200)).count == 83)
    }
}
