import Bytes
import Policy
import Testing

@testable import Configuration

@Suite("The section admin")
struct AdminSectionTests {
    private let files: TrialFiles

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    private func load(_ section: String) throws -> GatewayConfiguration {
        try files.load(TrialFiles.example + "admin: { \(section) }\n").get()
    }

    private static let overTCP = """
        address: "127.0.0.1:9900", tls: { certificate_file: server.pem, private_key_file: server.key, \
        bundle_file: agents-ca.pem, trust_domain: example.test }
        """

    @Test("Without the section nobody administers")
    func absent() throws {
        #expect(try files.load(TrialFiles.example).get().admin == nil)
    }

    @Test(
        "A Unix socket is its owner's unless its mode says more",
        arguments: [
            ("", 0o600 as UInt32), (", mode: \"0600\"", 0o600), (", mode: 0660", 0o660), (", mode: 640", 0o640),
        ])
    func unix(_ mode: String, _ expected: UInt32) throws {
        let admin = try #require(try load("address: \"unix:run/admin.sock\"\(mode)").admin)
        guard case .unix(let path, let mode) = admin else {
            Issue.record("this is no Unix socket")
            return
        }
        #expect(path == files.directory + "/run/admin.sock")
        #expect(mode == expected)
        #expect(admin.address == .unix(path: path))
    }

    @Test("A port is for those whose certificates are allowed")
    func tcp() throws {
        let loaded = try load(Self.overTCP + ", allow: [\"spiffe://example.test/operator/*\"]")
        let admin = try #require(loaded.admin)
        guard case .tcp(let host, let port, let tls) = admin else {
            Issue.record("this is no port")
            return
        }
        #expect(host == "127.0.0.1")
        #expect(port == 9900)
        #expect(tls.trustDomain == "example.test")
        #expect(tls.bundle.count == 1)
        #expect(tls.allowed.map(\.text) == ["spiffe://example.test/operator/*"])
        #expect(loaded.warnings.isEmpty)
        #expect(admin.address.description == "127.0.0.1:9900")
    }

    @Test("To let everybody of a trust domain in is allowed, and warned of")
    func everybody() throws {
        let loaded = try load(Self.overTCP + ", allow: [\"spiffe://example.test/*\"]")
        #expect(loaded.warnings.count == 1)
        #expect(loaded.warnings.first?.contains("every workload of the trust domain") == true)
    }
}
