import Bytes
import Cryptography
import Exchange
import Identity
import ProxyProtocol
import Reactor

/// The client in whose name a connection to an upstream begins with a PROXY header.
struct ProxiedClient {
    /// The client's connection: what began with its name serves no other.
    let key: SlotKey
    let context: ConnectionContext
    /// Where it calls from, and where to.
    let addresses: ProxyAddresses?
    let applicationProtocol: String?
    let tlsVersion: String

    /// Writes the header: all of it is what the gateway itself has seen, or believes of a configured proxy.
    func writeHeader(into output: inout ByteQueue) {
        let client = ProxyClient(
            authority: context.serverName, applicationProtocol: applicationProtocol, tlsVersion: tlsVersion,
            spiffeID: context.peer?.spiffeID?.text, certificate: context.peer?.certificate.fingerprint)
        ProxyHeaderWriter.write(addresses, client: client, to: &output)
    }
}

extension NetworkEndpoint {
    /// The same address; nothing for a UNIX socket.
    init?(_ address: SocketAddress) {
        switch address {
        case .ipv4(let host, let port): self.init(.ipv4(host), port: port)
        case .ipv6(let high, let low, let port): self.init(NetworkAddress.ipv6(high, low).unmapped, port: port)
        case .unix: return nil
        }
    }
}

extension SocketAddress {
    /// The same address.
    init(_ endpoint: NetworkEndpoint) {
        switch endpoint.address {
        case .ipv4(let host): self = .ipv4(host, port: endpoint.port)
        case .ipv6(let high, let low): self = .ipv6(high, low, port: endpoint.port)
        }
    }
}
