import Bytes
import CShims
public import Reactor

/// What a look-up of a name has brought.
struct NameAnswer: Equatable, Sendable {
    /// Its addresses, without ports; at least one.
    let addresses: [SocketAddress]
    /// How long they hold, or nothing where nobody says.
    let timeToLive: Interval?
}

/// Looks names up as the system is configured to: in the hosts file, by name servers with their search list, and so on.
public enum NameLookup {
    private static let addressType: CInt = 1
    private static let longAddressType: CInt = 28
    /// As long as a message can be.
    private static let room = 65_535

    /// The addresses of a host that the machine has a route to, all of them if there is none; blocks.
    ///
    /// - Parameters:
    ///   - host: a name or a literal address.
    ///   - port: what the addresses get.
    public static func addresses(of host: String, port: UInt16 = 0) throws(SystemError) -> [SocketAddress] {
        let all = try SocketAddress.resolve(host: host, port: port)
        let routable = all.filter { $0.with(port: max(1, port)).isRoutable }
        return routable.isEmpty ? all : routable
    }

    /// Looks a name up, and then for how long that holds; blocks.
    ///
    /// Nothing where that fails.
    static func answer(_ host: String) -> NameAnswer? {
        guard let addresses = try? addresses(of: host) else { return nil }
        var times: [UInt32] = []
        if addresses.contains(where: \.isIPv4) { times += timeToLive(of: host, type: addressType) }
        if addresses.contains(where: { !$0.isIPv4 }) { times += timeToLive(of: host, type: longAddressType) }
        return NameAnswer(addresses: addresses, timeToLive: times.min().map { .seconds(Int64($0)) })
    }

    /// Whether it is a literal address, which never changes.
    static func isLiteral(_ host: String) -> Bool {
        host.contains(":") || host.split(separator: ".").last.map { $0.allSatisfy(\.isNumber) } ?? false
    }

    /// The time to live that name servers give, as a list of one, or of none.
    ///
    /// They may know another name than the hosts file does; its addresses then hold as long as theirs would.
    private static func timeToLive(of host: String, type: CInt) -> [UInt32] {
        guard !isLocal(host) else { return [] }
        var message = [UInt8](repeating: 0, count: room)
        let count = unsafe message.withUnsafeMutableBufferPointer {
            unsafe sp_resolver_query(host, type, $0.baseAddress, CInt($0.count))
        }
        guard count > 0 else { return [] }
        let answer = DNSAnswer(message.span.extracting(0..<Int(count)))
        return answer?.timeToLive.map { [$0] } ?? []
    }

    /// Whether name servers are not to be asked (RFC 6761 §6.3).
    private static func isLocal(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost")
    }
}

extension SocketAddress {
    fileprivate var isIPv4: Bool {
        if case .ipv4 = self { true } else { false }
    }
}
