import Bytes
import Cryptography
import Policy
import Testing
import Tokens

@testable import Configuration

@Suite("The section transaction_tokens")
struct TransactionTokenSectionTests {
    private let files: TrialFiles

    /// What the section is, without its key.
    private static let section = """
        trust_domain: internal.example.test, issuer: "https://gateway.example.test", \
        workload: "spiffe://example.test/gateway", signing_key_file: KEY
        """

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    /// The example with a section that ends with `text`, and a route whose `forward` ends with `forward`.
    private func load(
        section: String?, forward: String = "txn_token: true"
    ) throws -> Result<GatewayConfiguration, ConfigurationFaults> {
        let route = TrialFiles.example.replacing("client_cert: false", with: "client_cert: false, \(forward)")
        let text = section.map { "transaction_tokens: { \($0) }\n" } ?? ""
        return try files.load(text + route)
    }

    private func faults(_ section: String?, forward: String = "txn_token: true") throws -> [String] {
        switch try load(section: section, forward: forward) {
        case .success: []
        case .failure(let faults): faults.faults.map { "\($0.keyPath): \($0.message)" }
        }
    }

    private func write(_ kind: PrivateKey.Kind, to name: String) throws -> PrivateKey {
        let key = try PrivateKey.generate(kind)
        try files.write(key.pem, to: name)
        return key
    }

    private func keyed(_ name: String) -> String { Self.section.replacing("KEY", with: name) }

    @Test("The section is read, by default with tokens of a minute; the key decides how they are signed")
    func read() throws {
        let curve = try write(.ellipticCurve(.p256), to: "txn-p256.key")
        let settings = try #require(try load(section: keyed("txn-p256.key")).get().transactionTokens)
        #expect(settings.trustDomain == "internal.example.test")
        #expect(settings.issuer == "https://gateway.example.test")
        #expect(settings.workload == "spiffe://example.test/gateway")
        #expect(settings.lifetime == .seconds(60))
        #expect(settings.algorithm == .es256)
        #expect(settings.keyID == curve.publicKey.thumbprint.base64URL)
        _ = try write(.ed25519, to: "txn-ed25519.key")
        let other = try load(section: keyed("txn-ed25519.key") + ", lifetime: 15m").get()
        #expect(other.transactionTokens?.algorithm == .ed25519)
        #expect(other.transactionTokens?.lifetime == .seconds(900))
        #expect(other.warnings == [])
    }

    @Test("Without the section there are no settings, and no route may want a token")
    func absent() throws {
        let configuration = try load(section: nil, forward: "txn_token: false").get()
        #expect(configuration.transactionTokens == nil)
        #expect(configuration.routes.map(\.forwarding.transactionToken) == [false])
        let faults = try faults(nil)
        #expect(faults.count == 1)
        #expect(
            faults.allSatisfy { $0.hasPrefix("routes[0].forward.txn_token: ") && $0.contains("transaction_tokens") })
    }

    @Test("A route says whether it wants a token; by default it does not")
    func route() throws {
        _ = try write(.ellipticCurve(.p256), to: "txn-route.key")
        let section = keyed("txn-route.key")
        #expect(try load(section: section).get().routes.map(\.forwarding.transactionToken) == [true])
        let none = try load(section: section, forward: "authorization: bearer").map(\.routes)
        #expect(throws: ConfigurationFaults.self) { try none.get() }
        let off = try load(section: section, forward: "txn_token: false").get()
        #expect(off.routes.map(\.forwarding.transactionToken) == [false])
        let example = try files.load("transaction_tokens: { \(section) }\n" + TrialFiles.example).get()
        #expect(example.routes.map(\.forwarding.transactionToken) == [false])
        #expect(try faults(section, forward: "txn_token: yes").count == 1)
    }

    @Test(
        "What is wrong with it is one fault that names the key",
        arguments: [
            ("trust_domain: internal.example.test, ", "", "transaction_tokens.trust_domain: ", "missing"),
            ("internal.example.test", "Internal", "transaction_tokens.trust_domain: ", "lower-case"),
            ("issuer: \"https://gateway.example.test\", ", "", "transaction_tokens.issuer: ", "missing"),
            ("https://gateway.example.test", "a b", "transaction_tokens.issuer: ", "visible ASCII"),
            ("workload: \"spiffe://example.test/gateway\", ", "", "transaction_tokens.workload: ", "missing"),
            ("spiffe://example.test/gateway", "søster", "transaction_tokens.workload: ", "visible ASCII"),
            (", signing_key_file: KEY", "", "transaction_tokens.signing_key_file: ", "missing"),
            ("KEY", "absent.key", "transaction_tokens.signing_key_file: ", "does not exist"),
            ("KEY", "garbage.pem", "transaction_tokens.signing_key_file: ", "no private key"),
            ("KEY", "txn-rsa.key", "transaction_tokens.signing_key_file: ", "P-256 and Ed25519"),
            ("KEY", "txn-p384.key", "transaction_tokens.signing_key_file: ", "P-256 and Ed25519"),
            ("KEY", "KEY, lifetime: 0s", "transaction_tokens.lifetime: ", "range"),
            ("KEY", "KEY, lifetime: 16m", "transaction_tokens.lifetime: ", "range"),
            ("KEY", "KEY, audience: a", "transaction_tokens.audience: ", "no such key"),
        ])
    func rule(part: String, replacement: String, keyPath: String, message: String) throws {
        // Cases run at once: each has files of its own.
        let name = "txn-" + (part + replacement).lowercased().filter { $0.isASCII && $0.isLetter }
        _ = try write(.rsa(bits: 2048), to: name + "-rsa.key")
        _ = try write(.ellipticCurve(.p384), to: name + "-p384.key")
        _ = try write(.ellipticCurve(.p256), to: name + ".key")
        let replacement = replacement.replacing("txn-", with: name + "-")
        let section = Self.section.replacing(part, with: replacement).replacing("KEY", with: name + ".key")
        let faults = try faults(section)
        #expect(faults.count == 1)
        #expect(faults.allSatisfy { $0.hasPrefix(keyPath) && $0.contains(message) }, "\(faults)")
        #expect(try self.faults(keyed(name + ".key")) == [])
    }
}
