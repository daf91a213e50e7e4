import Bytes

/// The endpoints of a balancer with what is known of each, in slots that keep their place while the list changes.
struct EndpointTable: Sendable {
    struct Slot: Sendable {
        /// Nothing in a slot that is free.
        var endpoint: UpstreamEndpoint?
        var generation: UInt32 = 0
        /// Requests under way.
        var active = 0
        /// What active checks say; where they are made, an endpoint is unhealthy until one was passed, as with Envoy.
        var isHealthy = true
        var outlier = OutlierState()
        /// Whether it is chosen from at present.
        var isCandidate = false

        func isAvailable(now: MonotonicTime) -> Bool {
            isHealthy && !outlier.isEjected(now: now)
        }
    }

    var slots: [Slot] = []
    /// The slots in the order of the list.
    private(set) var order: [Int] = []
    private var indexes: [UpstreamEndpoint: Int] = [:]
    private var isAsked: Bool

    /// Makes an empty table.
    ///
    /// - Parameter isAsked: whether active checks are made.
    init(isAsked: Bool) {
        self.isAsked = isAsked
    }

    /// Takes note that active checks begin or end; without them every endpoint counts as healthy.
    mutating func setAsked(_ isAsked: Bool) {
        guard isAsked != self.isAsked else { return }
        self.isAsked = isAsked
        for index in order { slots[index].isHealthy = !isAsked }
    }

    /// Takes the list; a second mention of an endpoint is passed over.
    mutating func update(_ endpoints: [UpstreamEndpoint]) {
        let wanted = Set(endpoints)
        for index in order {
            guard let endpoint = slots[index].endpoint, !wanted.contains(endpoint) else { continue }
            indexes[endpoint] = nil
            slots[index] = Slot(generation: slots[index].generation &+ 1)
        }
        var seen: Set<UpstreamEndpoint> = []
        order = endpoints.filter { seen.insert($0).inserted }.map { slot(for: $0) }
    }

    private mutating func slot(for endpoint: UpstreamEndpoint) -> Int {
        if let index = indexes[endpoint] { return index }
        let index = slots.firstIndex { $0.endpoint == nil } ?? slots.count
        if index == slots.count { slots.append(Slot()) }
        slots[index].endpoint = endpoint
        slots[index].isHealthy = !isAsked
        indexes[endpoint] = index
        return index
    }

    func id(of index: Int) -> EndpointID {
        EndpointID(slot: UInt32(index), generation: slots[index].generation)
    }

    func index(of id: EndpointID) -> Int? {
        let index = Int(id.slot)
        guard index < slots.count, slots[index].generation == id.generation, slots[index].endpoint != nil else {
            return nil
        }
        return index
    }

    func index(of endpoint: UpstreamEndpoint) -> Int? { indexes[endpoint] }

    /// The slots and names of all endpoints.
    var names: [(slot: Int, name: String)] {
        order.compactMap { index in
            slots[index].endpoint.map { (index, "\($0.target) \($0.address)") }
        }
    }

    func ejected(now: MonotonicTime) -> Int {
        order.count { slots[$0].outlier.isEjected(now: now) }
    }

    /// Ends all ejections.
    mutating func forgiveAll() {
        for index in order { slots[index].outlier = OutlierState() }
    }

    /// The slots to choose from, all where none is available, and when the first ejection ends; marks them.
    mutating func available(now: MonotonicTime) -> (slots: [Int], until: MonotonicTime?) {
        var candidates = order.filter { slots[$0].isAvailable(now: now) }
        if candidates.isEmpty { candidates = order }
        for index in order { slots[index].isCandidate = false }
        for index in candidates { slots[index].isCandidate = true }
        let ends = order.compactMap { slots[$0].outlier.ejectedUntil }.filter { now < $0 }
        return (candidates, ends.min())
    }
}
