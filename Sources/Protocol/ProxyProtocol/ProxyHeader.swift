import Bytes

/// What a PROXY protocol header of version 2 says of the connection behind it (HAProxy's proxy-protocol.txt §2.2).
public struct ProxyHeader: Equatable, Sendable {
    /// Where the client is and where it connected to; nothing where the proxy speaks for itself (`LOCAL`), or does not tell:
    /// then the connection's own addresses count.
    public let addresses: ProxyAddresses?

    /// Where the client is, or nothing.
    public var source: NetworkEndpoint? { addresses?.source }

    /// The 12 bytes that a header begins with: no TLS record and no HTTP request does.
    static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
    /// The signature, the command, the family and the length.
    static let fixedByteCount = 16
    static let version: UInt8 = 0x20
}

/// The two ends of the client's connection to the proxy.
public struct ProxyAddresses: Equatable, Sendable {
    /// The client.
    public let source: NetworkEndpoint
    /// What it connected to.
    public let destination: NetworkEndpoint

    /// Makes the two ends.
    public init(source: NetworkEndpoint, destination: NetworkEndpoint) {
        self.source = source
        self.destination = destination
    }
}

/// How the addresses of a header are written.
enum ProxyFamily: UInt8 {
    case unspecified = 0x00
    case tcp4 = 0x11
    case tcp6 = 0x21
    case unixStream = 0x31

    /// The bytes that both addresses take.
    var addressByteCount: Int {
        switch self {
        case .unspecified: 0
        case .tcp4: 12
        case .tcp6: 36
        case .unixStream: 216
        }
    }
}

/// The kinds of what may follow the addresses (proxy-protocol.txt §2.2.2 to §2.2.5).
enum ProxyField {
    static let applicationProtocol: UInt8 = 0x01
    static let authority: UInt8 = 0x02
    static let checksum: UInt8 = 0x03
    static let tls: UInt8 = 0x20
    static let tlsVersion: UInt8 = 0x21
    /// From here to 0xEF kinds are for those who know each other.
    static let spiffeID: UInt8 = 0xE0
    static let certificate: UInt8 = 0xE1
}
