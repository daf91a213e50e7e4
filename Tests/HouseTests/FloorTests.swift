import Foundation
import Testing

/// The floors of the house, from the ground up: a room imports only rooms of its own floor or of floors below.
private let floors = ["System", "Protocol", "Enforcement", "Gateway"]

/// One import of one source file.
struct Import: CustomTestStringConvertible, Sendable {
    let file: String
    let floor: String
    let module: String

    var testDescription: String { "\(file) imports \(module)" }
}

/// The sources, read as text.
enum House {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func rooms(of floor: String) -> [String] {
        let path = root.appending(path: "Sources/\(floor)").path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    static func sources(of floor: String) -> [URL] {
        let folder = root.appending(path: "Sources/\(floor)")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (files?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "swift" }
    }

    static func imports(of floor: String) throws -> [Import] {
        let pattern =
            /^\s*(?:(?:public|package|internal|private|fileprivate|@\w+(?:\(\w+\))?)\s+)*import\s+(?:\w+\s+)?(\w+)/
        return try sources(of: floor).flatMap { file in
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
                line.firstMatch(of: pattern).map {
                    Import(file: file.lastPathComponent, floor: floor, module: String($0.1))
                }
            }
        }
    }
}

@Suite("The house")
struct FloorTests {
    @Test("No room imports a room of a floor above its own", arguments: floors)
    func arrowsPointDown(floor: String) throws {
        let level = try #require(floors.firstIndex(of: floor))
        let above = Set(floors[(level + 1)...].flatMap { House.rooms(of: $0) })
        let imports = try House.imports(of: floor)
        #expect(!imports.isEmpty)
        #expect(imports.filter { above.contains($0.module) }.map(\.testDescription) == [])
    }

    @Test("Protocol and Enforcement see neither the kernel nor Foundation", arguments: ["Protocol", "Enforcement"])
    func staysPure(floor: String) throws {
        let banned: Set = [
            "Foundation", "FoundationEssentials", "FoundationNetworking", "Glibc", "Reactor", "Dispatch",
        ]
        let offenders = try House.imports(of: floor).filter { banned.contains($0.module) }
        #expect(offenders.map(\.testDescription) == [])
    }

    @Test("Foundation stops at the Gateway floor")
    func keepsFoundationUp() throws {
        let offenders = try House.imports(of: "System").filter { $0.module == "Foundation" }
        #expect(offenders.map(\.testDescription) == [])
    }

    @Test(
        "A C library is imported by the rooms that own it alone",
        arguments: [
            ("CCurl", ["Control"]), ("CNghttp2", ["HTTP2"]), ("COpenSSL", ["Cryptography", "TLS"]),
            ("CSQLite", ["Control"]),
            ("CZlib", ["Compression"]),
        ])
    func ownsLibraries(library: String, owners: [String]) throws {
        let importers = try floors.flatMap { floor in
            try House.rooms(of: floor).flatMap { room -> [String] in
                let folder = House.root.appending(path: "Sources/\(floor)/\(room)").path + "/"
                return try House.sources(of: floor)
                    .filter { $0.path.hasPrefix(folder) }
                    .filter { try String(contentsOf: $0, encoding: .utf8).contains("import \(library)") }
                    .map { _ in room }
            }
        }
        #expect(Set(importers) == Set(owners))
    }

    @Test("No source file has grown into a room too large to know")
    func keepsFilesSmall() throws {
        let long = try (floors + ["sallyport"]).flatMap { House.sources(of: $0) }.filter {
            try String(contentsOf: $0, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).count
                > 500
        }
        #expect(long.map(\.lastPathComponent) == [])
    }
}
