extension Rule {
    private static func upstream(_ text: String, _ key: String, _ message: String) -> Rule {
        Rule("protocol: http/1.1", text, "upstreams[0].\(key)", message)
    }

    static let upstreamSettings = [
        upstream("balance: random", "balance", "round_robin, least_requests or agent_hash"),
        upstream("health: { actve: { path: /a } }", "health.actve", "active?"),
        upstream("health: { active: {} }", "health.active.path", "missing"),
        upstream("health: { active: { path: healthz } }", "health.active.path", "a path"),
        upstream("health: { active: { path: \"/a b\" } }", "health.active.path", "a path"),
        upstream("health: { active: { path: \"/a#b\" } }", "health.active.path", "a path"),
        upstream("health: { active: { path: \"/a\\r\\nB: c\" } }", "health.active.path", "a path"),
        upstream("health: { active: { path: /a, interval: 10ms } }", "health.active.interval", "range"),
        upstream("health: { active: { path: /a, timeout: 0s } }", "health.active.timeout", "range"),
        upstream("health: { active: { path: /a, healthy_after: 0 } }", "health.active.healthy_after", "from 1"),
        upstream("health: { active: { path: /a, unhealthy_after: 0 } }", "health.active.unhealthy_after", "from 1"),
        upstream("health: { passive: never }", "health.passive", "keys are wanted"),
        upstream("health: { passive: { failures: 0 } }", "health.passive.failures", "from 1"),
        upstream("health: { passive: { eject_for: 1ms } }", "health.passive.eject_for", "range"),
        upstream("health: { passive: { maximum_ejected: 101 } }", "health.passive.maximum_ejected", "to 100"),
        upstream("retries: { attempts: 11 }", "retries.attempts", "from 0 to 10"),
        upstream("retries: { budget: 20% }", "retries.budget", "from 0 to 100"),
        upstream("circuit_breaker: { connections: 0 }", "circuit_breaker.connections", "from 1"),
        upstream("circuit_breaker: { pending: 0 }", "circuit_breaker.pending", "from 1"),
        upstream("circuit_breaker: { request: 1 }", "circuit_breaker.request", "requests?"),
        upstream("timeouts: { connect: 2 }", "timeouts.connect", "250ms"),
        upstream("timeouts: { response: 0s }", "timeouts.response", "range"),
        upstream("timeouts: { head: 1s }", "timeouts.head", "no such key"),
        upstream("proxy_protocol: v1", "proxy_protocol", "off or v2"),
        upstream("dns: {}", "dns.refresh", "missing"),
        upstream("dns: { refresh: 999ms }", "dns.refresh", "range"),
    ]
}
