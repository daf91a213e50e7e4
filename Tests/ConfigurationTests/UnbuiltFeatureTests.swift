import Testing

@testable import Configuration

@Suite("UnbuiltFeature")
struct UnbuiltFeatureTests {
    private func faults(_ text: String) throws -> [String] {
        let faults = FaultCollector(file: "f.yaml")
        let document = try #require(DocumentParser(faults: faults).parse(text))
        UnbuiltFeature.refuseAll(in: document, faults: faults)
        return faults.faults.map(\.description)
    }

    @Test("A key is refused by name")
    func key() throws {
        #expect(
            try faults("audit:\n  directory: a\n  signing_key_file: k\n") == [
                "f.yaml:3: audit.signing_key_file: not built yet in this version; remove the key"
            ])
    }

    @Test("A value is refused by name, its neighbour is not")
    func value() throws {
        #expect(
            try faults("possession: { replay: { store: redis } }\n") == [
                "f.yaml:1: possession.replay.store: redis is not built yet in this version; use another value"
            ])
        #expect(try faults("possession: { replay: { store: memory } }\n").isEmpty)
    }

    @Test("Nothing more is said about a value that was refused so")
    func settled() {
        let faults = FaultCollector(file: "f.yaml")
        faults.refuse(line: 1, keyPath: "a", "not built yet")
        faults.settle("a")
        faults.refuse(line: 1, keyPath: "a", "not understood")
        faults.refuse(line: 1, keyPath: "a.b", "not understood")
        #expect(faults.faults.map(\.keyPath) == ["a", "a.b"])
    }
}
