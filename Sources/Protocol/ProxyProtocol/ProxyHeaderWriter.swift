public import Bytes

/// What an upstream is told about the client of a connection, beside its addresses.
public struct ProxyClient: Equatable, Sendable {
    /// The name that the client asked for (SNI), or nothing.
    public var authority: String?
    /// The protocol that was agreed by ALPN, or nothing.
    public var applicationProtocol: String?
    /// The version of TLS, such as `TLSv1.3`.
    public var tlsVersion: String
    /// The SPIFFE ID that the client has shown, or nothing.
    public var spiffeID: String?
    /// The SHA-256 of the certificate that the client has shown, or nothing.
    public var certificate: Digest256?

    /// Describes a client.
    public init(
        authority: String? = nil, applicationProtocol: String? = nil, tlsVersion: String, spiffeID: String? = nil,
        certificate: Digest256? = nil
    ) {
        self.authority = authority
        self.applicationProtocol = applicationProtocol
        self.tlsVersion = tlsVersion
        self.spiffeID = spiffeID
        self.certificate = certificate
    }
}

/// Writes the header that tells an upstream whose connection it gets.
///
/// Beside the kinds that the protocol names there are two of our own: 0xE0 holds the client's SPIFFE ID as text, 0xE1 the 32
/// bytes of its certificate's SHA-256. A checksum is always there.
public enum ProxyHeaderWriter {
    /// Appends the header of a connection that the sender makes for itself (LOCAL): it is nobody's but its own.
    public static func writeLocal(to output: inout ByteQueue) {
        output.append(ProxyHeader.signature)
        output.append(ProxyHeader.version)
        for _ in 0..<3 { output.append(UInt8(0)) }
    }

    /// Appends a header.
    ///
    /// - Parameters:
    ///   - addresses: of the client's connection; nothing where it has none, as that to a UNIX socket.
    ///   - client: who the client is.
    ///   - output: nothing may stand between its end and the start of the connection.
    public static func write(_ addresses: ProxyAddresses?, client: ProxyClient, to output: inout ByteQueue) {
        var header = ByteQueue()
        header.append(ProxyHeader.signature)
        header.append(ProxyHeader.version | 1)
        let body = body(addresses, client)
        header.append(addresses.map(family)?.rawValue ?? ProxyFamily.unspecified.rawValue)
        let checksumByteCount = 7
        header.append(bigEndian: UInt64(body.count + checksumByteCount), byteCount: 2)
        header.append(body)
        header.append(ProxyField.checksum)
        header.append(bigEndian: 4, byteCount: 2)
        var sum = CRC32C()
        sum.add(header.readable)
        for _ in 0..<4 { sum.add(0) }
        header.append(bigEndian: UInt64(sum.value), byteCount: 4)
        output.append(header)
    }

    private static func family(of addresses: ProxyAddresses) -> ProxyFamily {
        guard case .ipv4 = addresses.source.address, case .ipv4 = addresses.destination.address else { return .tcp6 }
        return .tcp4
    }

    /// The addresses and the fields before the checksum.
    private static func body(_ addresses: ProxyAddresses?, _ client: ProxyClient) -> ByteQueue {
        var body = ByteQueue()
        if let addresses {
            let family = family(of: addresses)
            body.append(addresses.source.address, family)
            body.append(addresses.destination.address, family)
            body.append(bigEndian: UInt64(addresses.source.port), byteCount: 2)
            body.append(bigEndian: UInt64(addresses.destination.port), byteCount: 2)
        }
        if let name = client.applicationProtocol { body.append(ProxyField.applicationProtocol, name.utf8.span) }
        if let name = client.authority { body.append(ProxyField.authority, name.utf8.span) }
        let tls = tls(client)
        body.append(ProxyField.tls, tls.readable)
        if let identity = client.spiffeID { body.append(ProxyField.spiffeID, identity.utf8.span) }
        if let certificate = client.certificate {
            let bytes = certificate.bytes
            body.append(ProxyField.certificate, bytes.span)
        }
        return body
    }

    /// `PP2_TYPE_SSL`: what is known of the client's TLS.
    private static func tls(_ client: ProxyClient) -> ByteQueue {
        let usesTLS: UInt8 = 0x01
        let hasCertificate: UInt8 = 0x02
        var field = ByteQueue()
        field.append(client.certificate == nil ? usesTLS : usesTLS | hasCertificate)
        // Zero says that a certificate was shown and is good: others do not get this far.
        field.append(bigEndian: client.certificate == nil ? 1 : 0, byteCount: 4)
        field.append(ProxyField.tlsVersion, client.tlsVersion.utf8.span)
        return field
    }
}

extension ByteQueue {
    fileprivate mutating func append(bigEndian number: UInt64, byteCount: Int) {
        for index in (0..<byteCount).reversed() {
            append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index)))
        }
    }

    fileprivate mutating func append(_ address: NetworkAddress, _ family: ProxyFamily) {
        if family == .tcp4, case .ipv4(let bits) = address {
            append(bigEndian: UInt64(bits), byteCount: 4)
        } else {
            append(bigEndian: address.mapped.0, byteCount: 8)
            append(bigEndian: address.mapped.1, byteCount: 8)
        }
    }

    /// Appends a field; its value is cut at what its length can say.
    fileprivate mutating func append(_ kind: UInt8, _ value: Span<UInt8>) {
        let count = min(value.count, Int(UInt16.max) / 8)
        append(kind)
        append(bigEndian: UInt64(count), byteCount: 2)
        append(value.extracting(0..<count))
    }
}
