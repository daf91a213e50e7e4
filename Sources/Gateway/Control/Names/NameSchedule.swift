import Bytes
import Reactor

/// When each name is looked up again, and what is known of it.
///
/// A name is looked up when its time to live has passed, but no sooner than a second and no later than the configuration says
/// after it was. Where a look-up fails, the addresses that are known stay: a name server that is down takes no service down
/// with it, and whoever answers at an old address is authenticated as before.
struct NameSchedule {
    /// The shortest pause between two look-ups of a name.
    static let shortest = Interval.seconds(1)

    private struct State {
        var pause: Interval
        var addresses: [SocketAddress]
        /// Nothing for what never changes.
        var due: MonotonicTime?
        var failures = 0
        /// Whether what is known was told since the last time that names were given.
        var isTold = false
    }

    private var states: [String: State] = [:]

    /// What is known of every name; of some nothing may be known yet.
    var addresses: [String: [SocketAddress]] { states.mapValues(\.addresses).filter { !$0.value.isEmpty } }

    /// When the next look-up is due, or nothing where none ever is.
    var nextDue: MonotonicTime? { states.values.compactMap(\.due).min() }

    /// Watches these names from now on.
    ///
    /// - Parameters:
    ///   - names: the longest pause of each.
    ///   - known: what somebody has found out already.
    ///   - now: the moment; new names are due at once, and others no later than their new pause says.
    mutating func watch(_ names: [String: Interval], known: [String: [SocketAddress]], now: MonotonicTime) {
        var next: [String: State] = [:]
        for (name, pause) in names {
            var state = states[name] ?? State(pause: pause, addresses: [], due: now)
            state.pause = max(pause, Self.shortest)
            state.isTold = false
            state.due = state.due.map { min($0, now + state.pause) }
            if let addresses = known[name], !addresses.isEmpty { state.addresses = Self.unported(addresses) }
            if NameLookup.isLiteral(name), !state.addresses.isEmpty { state.due = nil }
            next[name] = state
        }
        states = next
    }

    /// The name that has been due longest, if any is due.
    func firstDue(now: MonotonicTime) -> String? {
        states.compactMap { name, state in state.due.map { (due: $0, name: name) } }
            .filter { $0.due <= now }
            .min { ($0.due, $0.name) < ($1.due, $1.name) }?.name
    }

    /// Takes note of what a look-up has brought.
    ///
    /// - Returns: whether the addresses are to be told: they are others now (their order means nothing), or it is the first
    ///   time since names were given, so that who gave them with addresses is not left with older ones.
    mutating func finished(_ name: String, _ answer: NameAnswer?, now: MonotonicTime) -> Bool {
        guard var state = states[name] else { return false }
        defer { states[name] = state }
        guard let answer, !answer.addresses.isEmpty else {
            // One second, two, four… up to the usual pause.
            state.failures = min(state.failures + 1, 20)
            let delay = Interval(nanoseconds: Self.shortest.nanoseconds << Int64(state.failures - 1))
            state.due = now + min(delay, state.pause)
            return false
        }
        state.failures = 0
        let pause = max(Self.shortest, min(answer.timeToLive ?? state.pause, state.pause))
        state.due = NameLookup.isLiteral(name) ? nil : now + pause
        let addresses = Self.unported(answer.addresses)
        // Name servers turn the order of equal answers round; what is balanced here is not to start anew each time.
        let hasChanged = Set(addresses) != Set(state.addresses)
        if hasChanged { state.addresses = addresses }
        defer { state.isTold = true }
        return hasChanged || !state.isTold
    }

    private static func unported(_ addresses: [SocketAddress]) -> [SocketAddress] {
        addresses.map { $0.with(port: 0) }
    }
}
