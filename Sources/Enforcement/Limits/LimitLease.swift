public import Bytes

/// A request under way that limits count: it counts until this value ends.
///
/// Only ``LimitTable/admit(_:_:agent:now:)`` makes one. To let it go out of scope ends it like ``end(bytes:now:)`` without bytes, so a
/// request that is given up is never counted forever.
public struct LimitLease: ~Copyable, Sendable {
    /// What is left of the agent's own limits, of that of which least is left; nothing where it has none.
    public let status: LimitStatus?
    private let table: LimitTable
    private let demands: LimitDemands
    private var isOver = false

    init(table: LimitTable, demands: LimitDemands, status: LimitStatus?) {
        self.table = table
        self.demands = demands
        self.status = status
    }

    /// Whether bytes need counting: whether any of the limits is of bytes.
    public var countsBytes: Bool { demands.haveByteLimit }

    /// Counts bytes that have passed, while the request goes on: for streams, and for connections that pass bytes.
    ///
    /// - Returns: how long to read no more, so that the rate is kept; zero where none of the limits is exceeded.
    public func charge(bytes: UInt64, now: MonotonicTime) -> Interval {
        table.settle(demands, bytes: bytes, isOver: false, now: now)
    }

    /// Ends the request.
    ///
    /// - Parameters:
    ///   - bytes: what has passed and was not counted by ``charge(bytes:now:)`` yet.
    ///   - now: the time.
    public consuming func end(bytes: UInt64, now: MonotonicTime) {
        isOver = true
        _ = table.settle(demands, bytes: bytes, isOver: true, now: now)
    }

    /// Ends a request that was refused for another reason: it is as if it had not been counted.
    public consuming func refund() {
        isOver = true
        table.refund(demands)
    }

    deinit {
        if !isOver { _ = table.settle(demands, bytes: 0, isOver: true, now: nil) }
    }
}

/// The limits of one request: at most four, held in place.
struct LimitDemands: Sendable {
    private var items: [4 of LimitDemand] = .init(repeating: .none)
    private(set) var count = 0

    subscript(_ index: Int) -> LimitDemand { items[index] }

    var haveByteLimit: Bool {
        for index in 0..<count where items[index].limit.bytesPerSecond != nil { return true }
        return false
    }

    mutating func add(_ scope: LimitScope, _ agent: LimitAgent) {
        if let limit = scope.settings.own {
            append(LimitDemand(key: scope.key, limit: limit, kind: scope.kind, isPerAgent: false))
        }
        if let limit = scope.settings.perAgent {
            append(LimitDemand(key: agent.key(at: scope.key), limit: limit, kind: scope.kind, isPerAgent: true))
        }
    }

    /// Brings those of one shard together, the lowest first.
    mutating func sort(by shard: (LimitDemand) -> Int) {
        for end in stride(from: 1, to: count, by: 1) {
            var index = end
            while index > 0, shard(items[index - 1]) > shard(items[index]) {
                items.swapAt(index - 1, index)
                index -= 1
            }
        }
    }

    private mutating func append(_ demand: LimitDemand) {
        items[count] = demand
        count += 1
    }
}
