import Bytes

/// Reads how an upstream's endpoints are chosen, watched and spared.
struct UpstreamSettingsSection {
    private static let shortest = Interval.milliseconds(1)
    private static let longest = Interval.seconds(24 * 3600)
    private static let hour = Interval.seconds(3600)

    let section: SectionReader

    /// Puts everything that is written into `upstream`; the defaults of the rest stay.
    func read(into upstream: inout UpstreamConfiguration) {
        upstream.balance = section.optional("balance")?.choice(BalancingPolicy.self) ?? upstream.balance
        if let reader = section.optional("health") { upstream.health = Self.health(reader) }
        if let reader = section.optional("retries") { upstream.retries = Self.retries(reader) }
        if let reader = section.optional("circuit_breaker") { upstream.breaker = Self.breaker(reader) }
        if let reader = section.optional("timeouts") { upstream.timeouts = Self.timeouts(reader) }
        let dns = section.optional("dns")?.section(["refresh"])
        upstream.dnsRefresh =
            dns?.required("refresh", "a duration such as 30s")?.duration(in: .seconds(1)...Self.longest)
            ?? upstream.dnsRefresh
    }

    // MARK: health

    private static func health(_ reader: DocumentReader) -> HealthSettings {
        var health = HealthSettings()
        guard let section = reader.section(["active", "passive"]) else { return health }
        if let reader = section.optional("active") { health.active = active(reader) }
        if let reader = section.optional("passive") { health.passive = passive(reader) }
        return health
    }

    private static func active(_ reader: DocumentReader) -> ActiveHealthSettings? {
        let keys = ["path", "interval", "timeout", "healthy_after", "unhealthy_after"]
        guard let section = reader.section(keys) else { return nil }
        let path = section.required("path", "what to ask for, such as /healthz")?
            .value(expected: "a path and perhaps a query: printable characters after a /, without a space or #", path)
        var active = ActiveHealthSettings(path: path ?? "/")
        active.interval =
            section.optional("interval")?.duration(in: .milliseconds(100)...hour) ?? active.interval
        active.timeout =
            section.optional("timeout")?.duration(in: .milliseconds(10)...hour) ?? active.timeout
        active.healthyAfter = section.optional("healthy_after")?.number(in: 1...100) ?? active.healthyAfter
        active.unhealthyAfter = section.optional("unhealthy_after")?.number(in: 1...100) ?? active.unhealthyAfter
        return path == nil ? nil : active
    }

    /// A target in origin-form (RFC 9112 §3.2.1), as it goes on the wire.
    private static func path(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }
        return text.hasPrefix("/") && isPlain && text.utf8.count <= 1024 ? text : nil
    }

    private static func passive(_ reader: DocumentReader) -> PassiveHealthSettings? {
        if case .scalar("off") = reader.node.content { return nil }
        var passive = PassiveHealthSettings()
        guard let section = reader.section(["failures", "eject_for", "maximum_ejected"]) else { return passive }
        passive.failures = section.optional("failures")?.number(in: 1...10_000) ?? passive.failures
        passive.ejectFor = section.optional("eject_for")?.duration(in: .seconds(1)...hour) ?? passive.ejectFor
        passive.maximumEjected = section.optional("maximum_ejected")?.number(in: 1...100) ?? passive.maximumEjected
        return passive
    }

    // MARK: The rest

    private static func retries(_ reader: DocumentReader) -> RetrySettings {
        var retries = RetrySettings()
        guard let section = reader.section(["attempts", "budget"]) else { return retries }
        retries.attempts = section.optional("attempts")?.number(in: 0...10) ?? retries.attempts
        retries.budget = section.optional("budget")?.number(in: 0...100) ?? retries.budget
        return retries
    }

    private static func breaker(_ reader: DocumentReader) -> CircuitBreakerSettings {
        var breaker = CircuitBreakerSettings()
        guard let section = reader.section(["connections", "pending", "requests"]) else { return breaker }
        let range = 1...1_000_000
        breaker.connections = section.optional("connections")?.number(in: range) ?? breaker.connections
        breaker.pending = section.optional("pending")?.number(in: range) ?? breaker.pending
        breaker.requests = section.optional("requests")?.number(in: range) ?? breaker.requests
        return breaker
    }

    private static func timeouts(_ reader: DocumentReader) -> UpstreamTimeouts {
        var timeouts = UpstreamTimeouts()
        guard let section = reader.section(["connect", "response", "idle"]) else { return timeouts }
        let range = shortest...longest
        timeouts.connect = section.optional("connect")?.duration(in: range)
        timeouts.response = section.optional("response")?.duration(in: range)
        timeouts.idle = section.optional("idle")?.duration(in: range)
        return timeouts
    }
}
