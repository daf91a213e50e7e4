import Bytes
import Cryptography
import Foundation
import Identity
import Support
import Testing

@testable import Configuration

/// An authority with lists of all kinds in the directory of ``TrialFiles``.
private struct TrialLists: Sendable {
    static let shared = Result { try TrialLists() }

    private init() throws {
        let now = TrialFiles.now
        let files = try #require(TrialFiles.shared)
        let authority = try CertificateAuthority.make(
            commonName: "lists", uri: "spiffe://example.test", validFor: now - .seconds(7200)...now + .seconds(3600))
        let stranger = try CertificateAuthority.make(
            commonName: "lists", validFor: now - .seconds(7200)...now + .seconds(3600))
        func write(_ name: String, by authority: CertificateAuthority, until end: UnixTime) throws {
            var maker = RevocationListMaker(authority, name: "lists", validFor: now - .seconds(3600)...end)
            maker.entries = [RevocationListMaker.entry("0a")]
            try Data(maker.der()).write(to: URL(fileURLWithPath: "\(files.directory)/\(name)"))
        }
        try files.write(authority.certificate.pem, to: "lists-ca.pem")
        try write("current.crl", by: authority, until: now)
        try write("old.crl", by: authority, until: now - .seconds(1))
        try write("forged.crl", by: stranger, until: now)
    }
}

@Suite("Trust domains with revocation lists")
struct TrustDomainSectionTests {
    private let files: TrialFiles

    init() throws {
        files = try #require(TrialFiles.shared)
        _ = try TrialLists.shared.get()
    }

    private func load(_ keys: String, rest: String = "") throws -> Result<GatewayConfiguration, ConfigurationFaults> {
        let domain = "{ name: example.test, bundle_file: agents-ca.pem }"
        let text = TrialFiles.example.replacing(
            domain, with: "{ name: example.test, bundle_file: lists-ca.pem\(keys) }")
        return try files.load(text + rest)
    }

    private func source(_ keys: String) throws -> RevocationListSource? {
        try load(keys).get().listeners[0].trustDomains[0].revocationLists
    }

    private func faults(_ keys: String) throws -> [String] {
        switch try load(keys) {
        case .success: []
        case .failure(let faults): faults.faults.map { "\($0.keyPath): \($0.message)" }
        }
    }

    @Test("Without the keys there are no lists")
    func none() throws {
        #expect(try source("") == nil)
    }

    @Test("A file is read with the configuration")
    func file() throws {
        let source = try #require(try source(", crl_file: current.crl"))
        #expect(source.location == .file("\(files.directory)/current.crl"))
        #expect(source.lists.map(\.count) == [1])
        #expect(source.deniesWhenStale)
        let listener = try load(", crl_file: current.crl").get().listeners[0]
        #expect(listener.writtenRevocationLists["example.test"]?.lists.count == 1)
        #expect(try load("").get().listeners[0].writtenRevocationLists.isEmpty)
    }

    @Test("A URL is not fetched with the configuration")
    func url() throws {
        let url = "https://ca.example.test/agents.crl"
        let plain = try #require(try source(", crl_url: \"\(url)\""))
        #expect(plain.location == .url(url, refreshInterval: .seconds(300), authorityFile: nil))
        #expect(plain.lists.isEmpty)
        let full = try #require(
            try source(", crl_url: \"\(url)\", crl_refresh: 30s, crl_ca_file: lists-ca.pem"))
        #expect(
            full.location
                == .url(url, refreshInterval: .seconds(30), authorityFile: "\(files.directory)/lists-ca.pem"))
        #expect(try load(", crl_url: \"\(url)\"").get().listeners[0].writtenRevocationLists.isEmpty)
    }

    @Test("An expired list is a warning")
    func expired() throws {
        #expect(try load(", crl_file: current.crl").get().warnings.filter { $0.contains("crl_file") } == [])
        let warnings = try load(", crl_file: old.crl").get().warnings.filter { $0.contains("crl_file") }
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("\"CN=lists\" has expired; its clients will all be refused") == true)
    }

    @Test(
        "What cannot be used is refused with the way out",
        arguments: [
            (", crl_file: absent.crl", "crl_file: the file", "does not exist"),
            (", crl_file: garbage.pem", "crl_file: a list", "X509 CRL"),
            (", crl_file: empty.pem", "crl_file: the file", "is empty"),
            (", crl_file: agents-ca.pem", "crl_file: a list", "is not there"),
            (", crl_file: forged.crl", "crl_file: the list of \"CN=lists\"", "not signed by that authority"),
            (", crl_url: \"http://ca.example/a\"", "crl_url: plain http", "write https"),
            (", crl_url: ca.example", "crl_url: ", "not understood"),
            (", crl_url: \"https://ca.example/a\", crl_refresh: 1s", "crl_refresh: ", "out of range"),
            (", crl_url: \"https://ca.example/a\", crl_ca_file: garbage.pem", "crl_ca_file: ", "no certificate"),
            (", crl_file: current.crl, crl_url: \"https://ca.example/a\"", "crl_url: ", "keep one of them"),
            (", crl_file: current.crl, crl_refresh: 30s", "crl_refresh: ", "crl_url only"),
            (", crl_ca_file: lists-ca.pem", "crl_ca_file: ", "crl_url only"),
            (", crl_files: current.crl", "crl_files: ", "did you mean crl_file?"),
        ])
    func refused(keys: String, beginning: String, part: String) throws {
        let faults = try faults(keys)
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix("listeners[0].clients.trust_domains[0].\(beginning)") == true)
        #expect(faults.first?.contains(part) == true)
    }
}

@Suite("Mark of a file")
struct FileMarkTests {
    @Test("A file that is written anew, or replaced, has another mark")
    func changes() throws {
        let files = try #require(TrialFiles.shared)
        let path = "\(files.directory)/marked"
        #expect(FileMark(path: path) == nil)
        try files.write("one", to: "marked")
        let first = try #require(FileMark(path: path))
        #expect(FileMark(path: path) == first)
        #expect(try NamedFile(path: path).mark == first)
        try files.write("three", to: "marked")
        let second = try #require(FileMark(path: path))
        #expect(second != first)
        try files.write("three", to: "other-mark")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: "\(files.directory)/other-mark", toPath: path)
        #expect(FileMark(path: path) != second)
    }

    @Test("A file may be as large as is said, and no larger")
    func limit() throws {
        let files = try #require(TrialFiles.shared)
        try files.write(String(repeating: "x", count: 100), to: "hundred")
        #expect(try NamedFile(path: "\(files.directory)/hundred", atMost: 100).bytes.count == 100)
        #expect(throws: NamedFile.Failure.self) { try NamedFile(path: "\(files.directory)/hundred", atMost: 99) }
    }
}
