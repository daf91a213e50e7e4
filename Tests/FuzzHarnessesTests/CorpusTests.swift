import Foundation
import FuzzHarnesses
import Testing

/// The inputs that fuzzing found worth keeping.
enum Corpus {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz/Corpus")

    static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = root.appending(path: target.rawValue)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }
}

@Suite("The fuzzers' corpora")
struct CorpusTests {
    @Test("Every input keeps every property, and some are accepted and some are not", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        let harness = try target.makeHarness()
        var accepted = 0
        let inputs = try Corpus.inputs(of: target)
        for input in inputs {
            do throws(Violation) {
                if try harness.accepts(input.bytes.span) { accepted += 1 }
            } catch {
                Issue.record("Fuzz/Corpus/\(target.rawValue)/\(input.name): \(error)")
            }
        }
        #expect(accepted > 0)
        #expect(accepted < inputs.count)
    }

    @Test("The empty input and every single byte keep every property", arguments: FuzzTarget.allCases)
    func smallest(target: FuzzTarget) throws {
        let harness = try target.makeHarness()
        let inputs: [[UInt8]] = [[]] + (UInt8.min...UInt8.max).map { [$0] }
        for input in inputs {
            #expect(throws: Never.self) { _ = try harness.accepts(input.span) }
        }
    }
}
