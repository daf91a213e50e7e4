import Bytes
import HTTP

/// A tree of path patterns by segment, that finds the first of thousands that matches without asking each.
///
/// Every node stands for the segments on the way to it. Its literal children are found in one hash table for the whole
/// tree, keyed by node and segment. Where a segment fits both a literal and a parameter both ways are gone, and a way
/// whose lowest pattern comes after the best match so far is not: so a search touches only nodes that fit.
struct RouteIndex: Sendable {
    private struct Node: Sendable {
        /// The node that a parameter leads to.
        var parameter: Int?
        /// The patterns that end here, in order.
        var ending: [Int] = []
        /// The patterns whose rest begins here, in order.
        var rest: [Int] = []
        /// The first pattern that ends here or below.
        var lowest = Int.max
    }

    private struct Edge: Sendable {
        let parent: Int
        let segment: ByteRange
        let child: Int
    }

    private var nodes = [Node()]
    private var edges: [Edge] = []
    /// The literal segments of all edges, one behind the other.
    private var text: [UInt8] = []
    /// Open addressing: the index of an edge plus one, or 0; a power of two, never more than half full.
    private var slots: [Int] = Array(repeating: 0, count: 8)

    /// Builds the tree.
    init(_ patterns: [PathPattern]) {
        for (index, pattern) in patterns.enumerated() { insert(pattern, as: index) }
    }

    /// The lowest index of a pattern that matches `target` and that `isAccepted`, or nothing.
    func first(for target: borrowing NormalizedTarget, where isAccepted: (Int) -> Bool) -> Int? {
        let best = search(0, depth: 0, target: target, below: .max, where: isAccepted)
        return best == .max ? nil : best
    }

    // MARK: Searching

    /// The lowest accepted pattern at or below a node, or `bound` where none is lower than that.
    private func search(
        _ node: Int, depth: Int, target: borrowing NormalizedTarget, below bound: Int, where isAccepted: (Int) -> Bool
    ) -> Int {
        guard nodes[node].lowest < bound else { return bound }
        guard depth < target.segmentCount else {
            return Self.first(of: nodes[node].ending, below: bound, where: isAccepted)
        }
        var best = bound
        let segment = target.decodedSegment(depth)
        if let child = child(of: node, segment) {
            best = search(child, depth: depth + 1, target: target, below: best, where: isAccepted)
        }
        guard !segment.isEmpty else { return best }
        if let child = nodes[node].parameter {
            best = search(child, depth: depth + 1, target: target, below: best, where: isAccepted)
        }
        return Self.first(of: nodes[node].rest, below: best, where: isAccepted)
    }

    private static func first(of patterns: [Int], below bound: Int, where isAccepted: (Int) -> Bool) -> Int {
        for pattern in patterns {
            guard pattern < bound else { return bound }
            if isAccepted(pattern) { return pattern }
        }
        return bound
    }

    private func child(of node: Int, _ segment: Span<UInt8>) -> Int? {
        var slot = slot(of: node, segment)
        while slots[slot] > 0 {
            let edge = edges[slots[slot] - 1]
            if edge.parent == node, text.span.extracting(edge.segment.offsets).equals(segment) { return edge.child }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// FNV-1a; the keys are the operator's, so nobody can make them collide.
    private func slot(of node: Int, _ segment: Span<UInt8>) -> Int {
        var hash = (0xcbf2_9ce4_8422_2325 ^ UInt64(truncatingIfNeeded: node)) &* 0x100_0000_01b3
        for index in segment.indices { hash = (hash ^ UInt64(segment[index])) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ (hash >> 32)) & (slots.count - 1)
    }

    // MARK: Building

    private mutating func insert(_ pattern: PathPattern, as index: Int) {
        var node = 0
        for segment in pattern.segments {
            nodes[node].lowest = min(nodes[node].lowest, index)
            switch segment {
            case .literal(let bytes): node = literalChild(of: node, bytes)
            case .parameter: node = parameterChild(of: node)
            case .rest:
                nodes[node].rest.append(index)
                return
            }
        }
        nodes[node].lowest = min(nodes[node].lowest, index)
        nodes[node].ending.append(index)
    }

    private mutating func parameterChild(of node: Int) -> Int {
        if let child = nodes[node].parameter { return child }
        nodes.append(Node())
        nodes[node].parameter = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func literalChild(of node: Int, _ bytes: [UInt8]) -> Int {
        if let child = child(of: node, bytes.span) { return child }
        nodes.append(Node())
        edges.append(
            Edge(
                parent: node, segment: ByteRange(start: text.count, count: bytes.count), child: nodes.count - 1))
        text.append(contentsOf: bytes)
        if edges.count * 2 > slots.count {
            slots = Array(repeating: 0, count: slots.count * 2)
            for edge in edges.indices { place(edge) }
        } else {
            place(edges.count - 1)
        }
        return nodes.count - 1
    }

    private mutating func place(_ edge: Int) {
        var slot = slot(of: edges[edge].parent, text.span.extracting(edges[edge].segment.offsets))
        while slots[slot] > 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = edge + 1
    }
}
