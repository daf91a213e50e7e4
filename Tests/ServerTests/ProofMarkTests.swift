import Bytes
import Foundation
import Testing

@testable import Server

@Suite("The mark of proofs dated ahead")
struct ProofMarkTests {
    private let trial: TrialDirectory
    private let path: String

    init() throws {
        trial = try TrialDirectory()
        try trial.directory.create()
        path = trial.path + "/proofs.mark"
    }

    private func reopened() throws -> Int64 { try ProofMark(path: path).earlier.nanoseconds }

    @Test("A new mark is at the beginning of time")
    func new() throws {
        #expect(try reopened() == 0)
    }

    @Test("A damaged mark refuses the start")
    func damaged() throws {
        for text in ["x", "1800000000", String(repeating: "x", count: 20), String(repeating: "1", count: 21)] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: GatewayError.self) { try ProofMark(path: path) }
        }
    }

    @Test("What was marked is there when it is opened again, and never goes back")
    func raised() throws {
        let mark = try ProofMark(path: path)
        #expect(mark.raise(to: UnixTime(seconds: 1_800_000_009)))
        #expect(mark.raise(to: UnixTime(seconds: 1_800_000_005)))
        #expect(mark.earlier == UnixTime(nanoseconds: 0))
        #expect(try reopened() == 1_800_000_009_000_000_000)
        #expect(try ProofMark(path: path).raise(to: UnixTime(seconds: 1_800_000_010)))
        #expect(try reopened() == 1_800_000_010_000_000_000)
    }
}
