import Control
import Foundation
import Testing

@Suite("The file of TLS secrets")
struct KeyLogFileTests {
    private let path = NSTemporaryDirectory() + "sallyport-keys-\(UUID().uuidString)"

    @Test("Lines are appended, and only this user may read them, whatever the file was before")
    func appends() throws {
        try Data("old\n".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let file = try KeyLogFile(path: path)
        file.append("CLIENT_RANDOM a b")
        file.append("CLIENT_RANDOM c d")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old\nCLIENT_RANDOM a b\nCLIENT_RANDOM c d\n")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("A new file is this user's alone")
    func makes() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try KeyLogFile(path: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("A link, a directory and a path that leads nowhere are refused")
    func refuses() throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: KeyLogFile.Failure.self) { try KeyLogFile(path: path) }
        #expect(throws: KeyLogFile.Failure.self) { try KeyLogFile(path: NSTemporaryDirectory()) }
        #expect(throws: KeyLogFile.Failure.self) { try KeyLogFile(path: path + "/nowhere") }
    }
}
