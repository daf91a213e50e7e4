/// The identifiers of tokens that were settled: so many, the oldest makes room.
struct SeenTokens: Sendable {
    /// How many are remembered; what is forgotten is settled again, which changes nothing.
    static let capacity = 4096

    private var identifiers: Set<String> = []
    private var order: [String] = []
    private var oldest = 0

    /// The number that is remembered.
    var count: Int { identifiers.count }

    func contains(_ identifier: String) -> Bool { identifiers.contains(identifier) }

    mutating func insert(_ identifier: String) {
        guard identifiers.insert(identifier).inserted else { return }
        guard order.count == Self.capacity else { return order.append(identifier) }
        identifiers.remove(order[oldest])
        order[oldest] = identifier
        oldest = (oldest + 1) % Self.capacity
    }
}
