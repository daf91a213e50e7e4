import Bytes
import Cryptography
import Foundation

@testable import Configuration

/// A directory with the files that the tests' configurations name, made once and removed when the process ends.
final class TrialFiles: Sendable {
    /// The files of all tests.
    static let shared = try? TrialFiles()

    /// The moment that the tests judge validity at.
    static let now = UnixTime(seconds: 1_800_000_000)

    /// The directory.
    let directory: String

    private static let hour = Interval.seconds(3600)

    /// The schema's example, reduced to what is built, with all that it may leave out.
    static let example = """
        workers: 2

        listeners:
          - name: agents
            address: "127.0.0.1:8443"
            origins: ["https://localhost:8443"]
            protocols: [h2, http/1.1]
            tls:
              certificates:
                - { certificate_file: server.pem, private_key_file: server.key }
              minimum_version: "1.3"
              resumption: off
            clients:
              certificate: required
              identity: spiffe
              trust_domains:
                - { name: example.test, bundle_file: agents-ca.pem }

        issuers:
          - issuer: https://broker.example.test
            profile: oauth
            audiences: ["https://localhost:8443"]
            jwks_file: broker.jwks.json
            algorithms: [ES256, Ed25519]
            clock_leeway: 30s
            maximum_token_lifetime: 1h
            claims: { sponsor: sponsor, task: task_id, orchestration: orchestration_id }
            trust_domains: [example.test]

        upstreams:
          - name: orders
            targets: ["http://127.0.0.1:9000"]
            protocol: http/1.1

        routes:
          - name: read-order
            match: { methods: [GET, HEAD], path: "/orders/{order_id}" }
            require:
              issuers: ["https://broker.example.test"]
              possession: [certificate]
              scope: "read:orders:{order_id}"
              dangerously_allow_subject_mismatch: false
            forward: { authorization: strip, client_cert: false }
            upgrades: []
            upstream: orders

        audit:
          directory: audit
          durability: batched
          when_full: deny

        observability:
          address: "127.0.0.1:9464"

        limits: { connections: 10000, header_bytes: 32KiB, header_count: 100, body_bytes: 0, streams: 128, token_bytes: 8KiB, proof_bytes: 4KiB }
        timeouts: { handshake: 5s, head: 10s, idle: 75s, upstream_connect: 2s, upstream_response: 30s, drain: 30s }

        """

    private init() throws {
        directory = NSTemporaryDirectory() + "sallyport-configuration-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        atexit {
            if let files = TrialFiles.shared { try? FileManager.default.removeItem(atPath: files.directory) }
        }
        try write("", to: "empty.pem")
        try write("garbage\n", to: "garbage.pem")
        try writeServer()
        try writeAuthorities()
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        try write("{\"keys\":[\(key.publicJWK(keyID: "a", algorithm: .es256))]}", to: "broker.jwks.json")
        try write("{\"keys\":[]}", to: "empty.jwks.json")
        try write("hunter2\n", to: "client.secret")
        try write("hunter2", to: "open.secret", mode: 0o644)
        try write("one\ntwo\n", to: "two.secret")
        try write("\n", to: "blank.secret")
        try FileManager.default.createDirectory(atPath: directory + "/folder", withIntermediateDirectories: true)
    }

    /// Writes a file; private keys are this user's alone.
    func write(_ text: String, to name: String, mode: Int = 0o600) throws {
        let path = "\(directory)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// Loads a configuration with that text.
    func load(
        _ text: String, environment: [String: String] = [:]
    ) throws -> Result<GatewayConfiguration, ConfigurationFaults> {
        let name = "\(UUID().uuidString).yaml"
        try write(text, to: name)
        return Result { () throws(ConfigurationFaults) in
            try GatewayConfiguration.load(file: "\(directory)/\(name)", environment: environment, now: Self.now)
        }
    }

    private func writeServer() throws {
        let authority = try CertificateAuthority.make(
            commonName: "server authority", validFor: (Self.now - Self.hour)...(Self.now + Self.hour))
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        func issue(_ host: String, from start: UnixTime, to end: UnixTime) throws -> String {
            try authority.issue(
                CertificateRequest(publicKey: key.publicKey, dnsNames: [host], notBefore: start, notAfter: end)
            ).pem
        }
        try write(issue("localhost", from: Self.now - Self.hour, to: Self.now + Self.hour), to: "server.pem")
        try write(issue("other.example", from: Self.now - Self.hour, to: Self.now + Self.hour), to: "other.pem")
        try write(issue("localhost", from: Self.now - Self.hour, to: Self.now - .seconds(1)), to: "expired.pem")
        try write(issue("localhost", from: Self.now + .seconds(1), to: Self.now + Self.hour), to: "future.pem")
        try write(key.pem, to: "server.key")
        try write(key.pem, to: "open.key", mode: 0o644)
        try write(try PrivateKey.generate(.ellipticCurve(.p256)).pem, to: "stranger.key")
    }

    private func writeAuthorities() throws {
        func authority(_ name: String, to end: UnixTime) throws -> String {
            try CertificateAuthority.make(
                commonName: name, uri: "spiffe://example.test", validFor: (Self.now - Self.hour - Self.hour)...end
            ).certificate.pem
        }
        let valid = try authority("valid", to: Self.now + Self.hour)
        let expired = try authority("expired", to: Self.now - Self.hour)
        try write(valid, to: "agents-ca.pem")
        try write(expired, to: "expired-ca.pem")
        try write(valid + expired, to: "rotated-ca.pem")
        try write(valid + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "half-ca.pem")
    }
}
