import Bytes
import Foundation
import JSON
import Testing

/// The vector files by others, where they are at hand.
enum Vectors {
    static let directory: URL = {
        if let path = ProcessInfo.processInfo.environment["SALLYPORT_VECTORS"] { return URL(fileURLWithPath: path) }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/vectors")
    }()

    static let areAtHand = FileManager.default.fileExists(
        atPath: directory.appendingPathComponent("wycheproof").path)
}

/// A JSON Web Signature of Wycheproof, with the key set to verify it with (nothing: a symmetric key).
struct WycheproofJWS: Sendable, CustomTestStringConvertible {
    let identifier: Int
    let comment: String
    let group: String
    let jws: [UInt8]
    let isValid: Bool
    let jwks: String?

    var testDescription: String { "\(identifier) \(group) \(comment)" }

    static let signatures = read("json_web_signature_test.json")
    static let keys = read("json_web_key_test.json")

    private static func read(_ file: String) -> [WycheproofJWS] {
        let url = Vectors.directory.appendingPathComponent("wycheproof/" + file)
        guard let text = try? [UInt8](Data(contentsOf: url)),
            let document = try? JSONDocument(text.span),
            let groups = document.root.member("testGroups")
        else { return [] }
        var cases: [WycheproofJWS] = []
        var all = groups.elements
        while let group = all.next() { cases += read(group) }
        return cases
    }

    private static func read(_ group: JSONValue) -> [WycheproofJWS] {
        var jwks: String?
        if let key = group.member("public"), let text = String(validating: key.raw) {
            jwks = key.member("keys") == nil ? #"{"keys":[\#(text)]}"# : text
        }
        var cases: [WycheproofJWS] = []
        guard var tests = group.member("tests")?.elements else { return [] }
        while let test = tests.next() {
            cases.append(
                WycheproofJWS(
                    identifier: Int(test.member("tcId")?.integer ?? -1), comment: test.member("comment")?.string ?? "",
                    group: group.member("comment")?.string ?? "", jws: Array((test.member("jws")?.string ?? "").utf8),
                    isValid: test.member("result")?.equals("valid") == true, jwks: jwks))
        }
        return cases
    }
}
