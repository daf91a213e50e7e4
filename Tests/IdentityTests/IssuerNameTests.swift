import Identity
import Testing

@Suite("Issuer name")
struct IssuerNameTests {
    @Test(
        "Spellings of one name are one",
        arguments: [
            ("CN=Agents,O=Example", "cn=agents,o=example"), ("CN = Agents , O = Example", "cn=agents,o=example"),
            ("CN=Agents CA 1", "cn=agents ca 1"), ("  CN=a", "cn=a"), ("CN=a  ", "cn=a"),
            ("O=B\\C3\\BCcher", "o=bücher"), ("O=B\\c3\\bccher", "o=bücher"), ("O=BÜCHER", "o=bücher"),
            ("CN=a + OU = b", "cn=a,ou=b"), ("CN=a\\, b", "cn=a\\, b"), ("CN=a\\2Cb", "cn=a\\2cb"),
            ("CN=a\\\\C3\\BCb", "cn=a\\\\c3\u{FFFD}b"), ("CN=a\\", "cn=a\\"), ("", ""),
        ])
    func spellings(written: String, expected: String) {
        #expect(IssuerName.normalized(written) == expected)
        #expect(IssuerName.normalized(IssuerName.normalized(written)) == IssuerName.normalized(expected))
    }

    @Test(
        "The order of parts, numbers for types and DER for values make no other name",
        arguments: [
            "CN=Agents CA,serialNumber=123,O=Acme", "O = Acme, serialNumber = 123, CN = Agents CA",
            "CN=Agents CA,2.5.4.5=#1303313233,O=Acme", "CN=Agents CA,2.5.4.5=123,O=Acme",
            "2.5.4.3=Agents CA+2.5.4.10=Acme,2.5.4.5=123",
        ])
    func oneName(written: String) {
        #expect(IssuerName.normalized(written) == "cn=agents ca,o=acme,serialnumber=123")
    }

    @Test("Other names stay others")
    func others() {
        let names = ["CN=a", "CN=b", "O=a", "CN=a,O=b", "CN=a b", "CN=ab", "CN=a\\,O=b", "CN=b,O=a"]
        #expect(Set(names.map(IssuerName.normalized)).count == names.count)
    }
}
