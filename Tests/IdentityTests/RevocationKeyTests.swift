import Bytes
import Cryptography
import Identity
import Testing

@Suite("Revocation key")
struct RevocationKeyTests {
    @Test(
        "A certificate is found however its issuer and serial number are written",
        arguments: [
            ("0a1b", "CN=Agents,O=Example"), ("A1B", "CN=Agents,O=Example"), ("0A:1B", "CN=Agents,O=Example"),
            ("00000a1b", "cn=agents, o=example"), ("0a1b", "O=Example,CN=Agents"), ("a1b", "CN = Agents, O = Example"),
        ])
    func spellings(serial: String, issuer: String) {
        #expect(
            RevocationKey.certificate(serial: serial, issuer: issuer)
                == .certificate(serial: "0a1b", issuer: "CN=Agents,O=Example"))
    }

    @Test(
        "Another certificate is not",
        arguments: [
            ("0a1c", "CN=Agents,O=Example"), ("a1b0", "CN=Agents,O=Example"), ("-0a1b", "CN=Agents,O=Example"),
            ("0a1b", "CN=Agents"), ("0a1b", "CN=Example,O=Agents"),
        ])
    func others(serial: String, issuer: String) {
        #expect(
            RevocationKey.certificate(serial: serial, issuer: issuer)
                != .certificate(serial: "0a1b", issuer: "CN=Agents,O=Example"))
    }

    @Test("Zero is a number too")
    func zero() {
        #expect(RevocationKey.certificate(serial: "00", issuer: "CN=a") == .certificate(serial: "0", issuer: "CN=a"))
        #expect(RevocationKey.certificate(serial: "00", issuer: "CN=a") != .certificate(serial: "01", issuer: "CN=a"))
    }
}
