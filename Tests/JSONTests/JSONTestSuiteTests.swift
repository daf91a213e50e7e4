import Bytes
import Foundation
import JSON
import Testing

/// The files of JSONTestSuite (nst/JSONTestSuite), where they are at hand.
private enum Suite {
    static let directory: URL = {
        if let path = ProcessInfo.processInfo.environment["SALLYPORT_VECTORS"] {
            return URL(fileURLWithPath: path).appendingPathComponent("json/test_parsing")
        }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("shared/vectors/json/test_parsing")
    }()

    static let files: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []).sorted()

    static func files(_ prefix: String) -> [String] { files.filter { $0.hasPrefix(prefix) } }

    static func refusal(of file: String) throws -> JSONError? {
        let text = [UInt8](try Data(contentsOf: directory.appendingPathComponent(file)))
        do throws(JSONError) {
            _ = try JSONDocument(text.span)
            return nil
        } catch {
            return error
        }
    }
}

@Suite(
    "JSONTestSuite", .enabled(if: !Suite.files.isEmpty, "the vector files are not at hand: set SALLYPORT_VECTORS"))
struct JSONTestSuiteTests {
    @Test("What is not JSON is refused", arguments: Suite.files("n_"))
    func refused(file: String) throws {
        #expect(try Suite.refusal(of: file) != nil)
    }

    @Test("What is JSON is accepted, but for names used twice", arguments: Suite.files("y_"))
    func accepted(file: String) throws {
        let refusal = try Suite.refusal(of: file)
        if file.contains("duplicated_key") {
            guard case .duplicateMember = refusal else {
                Issue.record("accepted, or refused for \(String(describing: refusal))")
                return
            }
        } else {
            #expect(refusal == nil)
        }
    }

    /// Numbers of any size are JSON: whoever asks for their value is told that there is none.
    ///
    /// All else that the suite leaves open is refused: invalid UTF-8, lone surrogates, UTF-16, a byte order mark, 500 arrays in one another.
    @Test("What the standard leaves open is refused, but for numbers", arguments: Suite.files("i_"))
    func undecided(file: String) throws {
        #expect(try (Suite.refusal(of: file) == nil) == file.hasPrefix("i_number"))
    }

    @Test("The whole suite was read")
    func complete() {
        #expect(Suite.files("n_").count > 180)
        #expect(Suite.files("y_").count > 90)
        #expect(Suite.files("i_").count > 30)
    }
}
