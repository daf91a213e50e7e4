import Bytes
import Cryptography
import Identity
import TLS
import Testing

@testable import Configuration

@Suite("The section tls of an upstream")
struct UpstreamTLSSectionTests {
    private let files: TrialFiles

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    private func read(_ text: String) throws -> (tls: UpstreamTLS?, faults: [String], warnings: [String]) {
        let faults = FaultCollector(file: "f.yaml")
        let document = try #require(DocumentParser(faults: faults).parse(text))
        let context = LoadContext(
            faults: faults, place: FilePlace(beside: "\(files.directory)/f.yaml"), now: TrialFiles.now)
        let tls = UpstreamTLSSection(context: context).read(DocumentReader(document: document, faults: faults))
        return (tls, faults.faults.map { "\($0.keyPath): \($0.message)" }, faults.warnings.map(\.message))
    }

    @Test("Authorities are enough: the upstream is then known by its host")
    func authorities() throws {
        let read = try read("{ ca_file: agents-ca.pem }")
        let tls = try #require(read.tls)
        #expect(read.faults == [])
        #expect(tls.authorities.count == 1)
        #expect(tls.serverName == nil)
        #expect(tls.spiffeIDs == [])
        #expect(tls.identity == nil)
    }

    @Test("Everything can be said at once")
    func everything() throws {
        let read = try read(
            """
            { ca_file: agents-ca.pem, server_name: Orders.Test, spiffe_ids: ["spiffe://example.test/orders"],
              certificate_file: server.pem, private_key_file: server.key }
            """)
        let tls = try #require(read.tls)
        #expect(read.faults == [])
        #expect(tls.serverName == "orders.test")
        #expect(tls.spiffeIDs.map(\.text) == ["spiffe://example.test/orders"])
        #expect(tls.identity?.chain.count == 1)
        #expect(throws: Never.self) { try tls.context(forHost: "localhost", applicationProtocols: [.h2]) }
    }

    @Test(
        "What is wrong is refused, each with its place",
        arguments: [
            ("{ }", "ca_file: the key is missing"),
            ("{ ca_file: garbage.pem }", "ca_file: the file holds no certificate"),
            ("{ ca_file: server.pem }", "ca_file: the bundle holds"),
            ("{ ca_file: expired-ca.pem }", "ca_file: every certificate of the bundle has expired"),
            ("{ ca_file: agents-ca.pem, server_name: \"a:1\" }", "server_name: \"a:1\" is not understood"),
            ("{ ca_file: agents-ca.pem, server_name: \"\" }", "server_name: there is no value"),
            ("{ ca_file: agents-ca.pem, spiffe_ids: [] }", "spiffe_ids: the list is empty"),
            ("{ ca_file: agents-ca.pem, spiffe_ids: [\"spiffe://example.test\"] }", "spiffe_ids[0]: "),
            ("{ ca_file: agents-ca.pem, spiffe_ids: [\"spiffe://a/b\", \"spiffe://a/b\"] }", "spiffe_ids[1]: "),
            ("{ ca_file: agents-ca.pem, spiffe_ids: [\"spiffe://a/b\", \"spiffe://b/b\"] }", "spiffe_ids: the IDs"),
            ("{ ca_file: agents-ca.pem, certificate_file: server.pem }", ": certificate_file and private_key_file"),
            ("{ ca_file: agents-ca.pem, private_key_file: server.key }", ": certificate_file and private_key_file"),
            (
                "{ ca_file: agents-ca.pem, certificate_file: server.pem, private_key_file: stranger.key }",
                "certificate_file: the first certificate"
            ),
            ("{ ca_file: agents-ca.pem, insecure: true }", "insecure: there is no such key"),
        ])
    func refused(text: String, expected: String) throws {
        let faults = try read(text).faults
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix(expected) == true, "\(faults)")
    }

    @Test("Settings that differ in anything have another digest, the same ones the same")
    func digests() throws {
        let texts = [
            "{ ca_file: agents-ca.pem }", "{ ca_file: rotated-ca.pem }", "{ ca_file: agents-ca.pem, server_name: a }",
            "{ ca_file: agents-ca.pem, spiffe_ids: [\"spiffe://a/a\"] }",
            "{ ca_file: agents-ca.pem, certificate_file: server.pem, private_key_file: server.key }",
        ]
        let settings = try texts.map { try #require(try read($0).tls) }
        #expect(try Set(settings.map { try $0.digest() }).count == texts.count)
        for (text, first) in zip(texts, settings) {
            let again = try #require(try read(text).tls)
            #expect(try again == first && again.digest() == first.digest())
        }
    }
}
