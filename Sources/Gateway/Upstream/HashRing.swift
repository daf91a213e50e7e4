/// A ring on which each endpoint has many places, and a call goes to the next place after its own (consistent hashing).
///
/// Of `n` endpoints one that comes or goes moves only about the `n`th part of all agents. Each endpoint has as many places as
/// any other, however many there are; Envoy fills a ring of a fixed size, so that all endpoints lose places to a new one
/// and more agents move.
struct HashRing: Sendable {
    /// Places of one endpoint: the shares then differ by some 6 % (standard deviation).
    static let places = 256

    private struct Place: Sendable {
        let hash: UInt64
        let slot: Int
    }

    private var ring: [Place] = []

    /// Puts endpoints on a ring.
    ///
    /// - Parameter endpoints: the slot and the name of each; places follow from the name alone.
    init(_ endpoints: [(slot: Int, name: String)] = []) {
        ring.reserveCapacity(endpoints.count * Self.places)
        for (slot, name) in endpoints {
            let seed = AgentHash.of(name.utf8Span.span)
            for index in 1...Self.places {
                ring.append(Place(hash: AgentHash.mix(seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15), slot: slot))
            }
        }
        ring.sort { ($0.hash, $0.slot) < ($1.hash, $1.slot) }
    }

    /// The slot of the first place from `hash` on, once around, that `isWanted` says yes to.
    func first(from hash: UInt64, where isWanted: (Int) -> Bool) -> Int? {
        let start = index(of: hash)
        for offset in 0..<ring.count {
            let slot = ring[(start + offset) % ring.count].slot
            if isWanted(slot) { return slot }
        }
        return nil
    }

    /// The first place whose hash is not below.
    private func index(of hash: UInt64) -> Int {
        var low = 0
        var high = ring.count
        while low < high {
            let middle = (low + high) / 2
            if ring[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
