import Bytes
import Configuration
import Control
import Reactor

/// Where the targets of upstreams are: looked up before they are first used, and again as the answers grow old.
final class UpstreamNames {
    private let resolver: Resolver
    /// The addresses of hosts, without ports.
    private var hosts: [String: [SocketAddress]] = [:]

    /// - Parameter mailbox: where new addresses are told.
    init(mailbox: Mailbox<ControlMessage>) throws {
        resolver = try Resolver { mailbox.post(.resolved($0)) }
    }

    func start() throws {
        try resolver.start()
    }

    func stop() {
        resolver.stop()
    }

    /// The addresses of all targets; hosts that nothing is known of yet are looked up, which takes its time.
    ///
    /// - Throws: where a host has no address.
    func addresses(
        of upstreams: [UpstreamConfiguration]
    ) throws(GatewayError) -> [UpstreamTarget: [SocketAddress]] {
        for upstream in upstreams {
            for target in upstream.targets {
                guard let (host, _) = target.authority, hosts[host] == nil else { continue }
                do { hosts[host] = try NameLookup.addresses(of: host) } catch {
                    throw GatewayError(
                        "the host \(host) of upstream \(upstream.name) cannot be resolved (\(error)); check its name")
                }
            }
        }
        return known(of: upstreams)
    }

    /// Keeps the hosts of these upstreams up to date from now on, and no others.
    func watch(_ upstreams: [UpstreamConfiguration]) {
        var names: [String: Interval] = [:]
        for upstream in upstreams {
            for target in upstream.targets {
                guard let (host, _) = target.authority else { continue }
                names[host] = min(names[host] ?? upstream.dnsRefresh, upstream.dnsRefresh)
            }
        }
        hosts = hosts.filter { names[$0.key] != nil }
        resolver.watch(names, known: hosts)
    }

    /// Takes over what the resolver has found.
    func take(_ found: [String: [SocketAddress]]) {
        for (host, addresses) in found where hosts[host] != nil && !addresses.isEmpty { hosts[host] = addresses }
    }

    /// The addresses of all targets whose hosts are known.
    func known(of upstreams: [UpstreamConfiguration]) -> [UpstreamTarget: [SocketAddress]] {
        var addresses: [UpstreamTarget: [SocketAddress]] = [:]
        for target in upstreams.flatMap(\.targets) {
            if case .unix(let path) = target { addresses[target] = [.unix(path)] }
            guard let (host, port) = target.authority, let found = hosts[host] else { continue }
            addresses[target] = found.map { $0.with(port: port) }
        }
        return addresses
    }
}
