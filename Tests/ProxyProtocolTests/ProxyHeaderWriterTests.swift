import Bytes
import Testing

@testable import ProxyProtocol

@Suite("Writing of PROXY headers")
struct ProxyHeaderWriterTests {
    private static let client = ProxyClient(
        authority: "api.example", applicationProtocol: "h2", tlsVersion: "TLSv1.3",
        spiffeID: "spiffe://example.test/agent/a", certificate: Digest256(([UInt8](0..<32)).span))

    private func written(_ addresses: ProxyAddresses?, _ client: ProxyClient = client) -> [UInt8] {
        var output = ByteQueue()
        ProxyHeaderWriter.write(addresses, client: client, to: &output)
        return Array(copying: output.readable)
    }

    private func header(_ bytes: [UInt8]) -> ProxyHeader? {
        var reader = ProxyHeaderReader()
        guard case .header(let header, let consumed) = reader.read(bytes.span), consumed == bytes.count else {
            return nil
        }
        return header
    }

    /// The fields behind the addresses, in order.
    private func fields(_ bytes: [UInt8], from start: Int) -> [(kind: UInt8, value: [UInt8])] {
        var fields: [(kind: UInt8, value: [UInt8])] = []
        var offset = start
        while offset + 3 <= bytes.count {
            let length = Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2])
            fields.append((bytes[offset], Array(bytes[(offset + 3)..<(offset + 3 + length)])))
            offset += 3 + length
        }
        return fields
    }

    @Test(
        "What is written is read again, its checksum with it",
        arguments: [
            (Header.source4, NetworkEndpoint(.ipv4(0xC633_6402), port: 443)),
            (Header.source6, NetworkEndpoint(.ipv6(0x2001_0DB8_0000_0000, 2), port: 443)),
            (Header.source4, NetworkEndpoint(.ipv6(0x2001_0DB8_0000_0000, 2), port: 443)),
            (Header.source6, NetworkEndpoint(.ipv4(0xC633_6402), port: 443)),
        ])
    func roundTrip(_ source: NetworkEndpoint, _ destination: NetworkEndpoint) {
        let addresses = ProxyAddresses(source: source, destination: destination)
        #expect(header(written(addresses)) == ProxyHeader(addresses: addresses))
    }

    @Test("The identity is told in the fields that the protocol keeps for it")
    func identity() {
        let bytes = written(
            ProxyAddresses(source: Header.source4, destination: NetworkEndpoint(.ipv4(0xC633_6402), port: 443)))
        #expect(Array(bytes[..<28]) == Header.bytes(0x21, 0x11, Header.addresses4, length: bytes.count - 16))
        let fields = fields(bytes, from: 28)
        #expect(fields.map(\.kind) == [0x01, 0x02, 0x20, 0xE0, 0xE1, 0x03])
        #expect(fields[0].value == Array("h2".utf8))
        #expect(fields[1].value == Array("api.example".utf8))
        // A certificate was shown in this connection and is good, over this version.
        #expect(fields[2].value == [0x03, 0, 0, 0, 0, 0x21, 0, 7] + Array("TLSv1.3".utf8))
        #expect(fields[3].value == Array("spiffe://example.test/agent/a".utf8))
        #expect(fields[4].value == [UInt8](0..<32))
        #expect(fields[5].value.count == 4)
    }

    @Test("Without a certificate none is said to be good")
    func anonymous() {
        let bytes = written(nil, ProxyClient(tlsVersion: "TLSv1.2"))
        #expect(header(bytes) == ProxyHeader(addresses: nil))
        #expect(bytes[13] == 0)
        let fields = fields(bytes, from: 16)
        #expect(fields.map(\.kind) == [0x20, 0x03])
        #expect(fields[0].value == [0x01, 0, 0, 0, 1, 0x21, 0, 7] + Array("TLSv1.2".utf8))
    }

    @Test("The longest SPIFFE ID fits into what is read")
    func longest() {
        var client = Self.client
        client.spiffeID = "spiffe://example.test/" + String(repeating: "a", count: 2026)
        client.authority = String(repeating: "a", count: 253)
        let addresses = ProxyAddresses(source: Header.source6, destination: Header.source6)
        #expect(header(written(addresses, client))?.source == Header.source6)
    }

    @Test("It is appended to what waits already")
    func appended() {
        var output = ByteQueue()
        output.append("before")
        ProxyHeaderWriter.write(nil, client: Self.client, to: &output)
        let bytes = [UInt8](copying: output.readable)
        #expect(Array(bytes[..<6]) == Array("before".utf8))
        #expect(header(Array(bytes[6...])) != nil)
    }
}
