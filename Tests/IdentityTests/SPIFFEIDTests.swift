import Identity
import Testing

@Suite("SPIFFE ID")
struct SPIFFEIDTests {
    @Test("A name has a trust domain and a path")
    func parts() throws {
        let name = try SPIFFEID("spiffe://example.org/agent/orch-1/t/0".utf8.span)
        #expect(name.text == "spiffe://example.org/agent/orch-1/t/0")
        #expect(name.trustDomain == "example.org")
        #expect(name.path == "/agent/orch-1/t/0")
    }
}
