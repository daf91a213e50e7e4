import Bytes
import Configuration
import Identity
import Support
import TLS
import Testing

@testable import Exchange

@Suite("The rules of a listener")
struct ListenerRulesTests {
    private func rules(_ origins: [String], certificates: [[String]] = [["localhost"]]) throws -> ListenerRules {
        let trial = try Trial.standard()
        return ListenerRules(
            trial.listener(
                origins: origins,
                certificates: try certificates.map { try trial.handshake.identity(dnsNames: $0) }))
    }

    private func admits(
        _ rules: ListenerRules, _ authority: String, serverName: String? = nil, certificate: Int = 0
    ) -> Bool {
        rules.origin(authority: authority.utf8.span, serverName: serverName, certificate: certificate) != nil
    }

    @Test("An authority is admitted where it is an origin of the listener")
    func origins() throws {
        let rules = try rules(["https://localhost:8443", "https://api.example.test", "https://[2001:db8::1]:8443"])
        for authority in [
            "localhost:8443", "LOCALHOST:8443", "LocalHost:8443", "api.example.test", "api.example.test:443",
            "API.Example.Test", "[2001:db8::1]:8443", "[2001:DB8::1]:8443",
        ] {
            #expect(admits(rules, authority), "\(authority)")
        }
        for authority in [
            "", "localhost", "localhost:443", "localhost:8444", "localhost:08443", "localhost:", "localhost.:8443",
            "localhost.", "xlocalhost:8443", "localhost:8443.", "localhost:84430", "localhost:8443:8443",
            "api.example.test.", "api.example.test:8443", "api.example.test.:443", "api.example.tes",
            "b.api.example.test", "[2001:db8::1]", "2001:db8::1:8443", "[2001:db8::2]:8443", "evil.test",
            "user@localhost:8443", "localhost:8443 ", " localhost:8443",
        ] {
            #expect(!admits(rules, authority), "\(authority)")
        }
    }

    @Test("4, 5: With one certificate, a client that named another host is admitted only where it speaks for both")
    func oneCertificate() throws {
        let origins = ["https://a.test", "https://b.test"]
        let both = try rules(origins, certificates: [["a.test", "b.test"]])
        let one = try rules(origins, certificates: [["a.test"]])
        #expect(admits(both, "b.test", serverName: "a.test"))
        #expect(!admits(one, "b.test", serverName: "a.test"))
        #expect(admits(one, "b.test", serverName: "b.test"))
        #expect(admits(one, "a.test", serverName: "a.test"))
        #expect(admits(one, "a.test", serverName: "b.test"))
        #expect(admits(one, "b.test", serverName: nil))
    }

    @Test("The case of SNI does not matter, and a trailing dot makes it another name")
    func spellingOfServerName() throws {
        let rules = try rules(["https://b.test"], certificates: [["a.test"]])
        for name in ["b.test", "B.TEST", "b.Test"] { #expect(admits(rules, "b.test", serverName: name), "\(name)") }
        for name in ["b.test.", "b.tes", "", "xb.test", "b\u{FF0E}test"] {
            #expect(!admits(rules, "b.test", serverName: name), "\(name)")
        }
    }

    @Test("4, 5: With several certificates, the one that the client was shown must name the host, whatever SNI says")
    func severalCertificates() throws {
        let rules = try rules(
            ["https://a.example.test", "https://b.example.test"],
            certificates: [["a.example.test"], ["b.example.test"], ["*.example.test"]])
        for (authority, certificate) in [
            ("a.example.test", 0), ("b.example.test", 1), ("a.example.test", 2), ("b.example.test", 2),
        ] {
            #expect(admits(rules, authority, serverName: authority, certificate: certificate))
            #expect(admits(rules, authority, certificate: certificate))
        }
        for (authority, certificate) in [("a.example.test", 1), ("b.example.test", 0)] {
            #expect(!admits(rules, authority, serverName: authority, certificate: certificate))
            #expect(!admits(rules, authority, certificate: certificate))
        }
    }

    @Test("A certificate that the listener does not have speaks for nobody", arguments: [-1, 2, .max])
    func unknownCertificate(index: Int) throws {
        let rules = try rules(["https://a.test"], certificates: [["a.test"], ["a.test"]])
        #expect(!admits(rules, "a.test", certificate: index))
        #expect(admits(rules, "a.test", certificate: 1))
    }

    @Test("Under spiffe a token's subject must be of a trust domain of the listener, under any it need not")
    func trustDomains() throws {
        let trial = try Trial.standard()
        let domains = ["example.test", "other.test"]
        #expect(ListenerRules(trial.listener(trustDomains: domains)).subjectTrustDomains == domains)
        #expect(ListenerRules(trial.listener(identity: .any, trustDomains: domains)).subjectTrustDomains == nil)
    }
}
