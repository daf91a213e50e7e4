import Configuration
import Reactor
import TLS
import Upstream

/// One upstream as a worker is told of it.
struct UpstreamPlan {
    let configuration: UpstreamConfiguration
    let targets: [TargetPlan]

    /// The endpoints in the order of the list.
    var endpoints: [UpstreamEndpoint] {
        targets.flatMap { plan in plan.addresses.map { UpstreamEndpoint(target: plan.target, address: $0) } }
    }
}

/// One target of an upstream.
struct TargetPlan {
    let target: UpstreamTarget
    /// What its connections are judged by: those of another identity serve nobody in its stead.
    let identity: UpstreamIdentity
    /// Where it is.
    var addresses: [SocketAddress]
    /// Our side of TLS, where it is spoken.
    let context: TLSContext?
}
