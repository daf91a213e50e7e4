import Delegation
import Testing

/// Numbers that look random and are the same each time (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Makes capabilities out of a few names and values, so that two of them often meet.
private struct Maker {
    var random: Seeded
    static let scalars: [AttenuatingValue] = [
        .null, .bool(true), .bool(false), .number(-1), .number(0), .number(1), .number(1.5), .number(2),
        .string("a"), .string("b"), .string("*"), .string("1"),
    ]
    static let lists: [AttenuatingValue] = [
        .list([]), .list([.number(1)]), .list([.number(1), .string("a")]), .list([.string("a"), .string("b")]),
        .list([.number(1), .number(1), .number(2)]),
    ]
    static let names = ["x", "y"].map { Array($0.utf8) }
    static let tools = ["t", "u"]

    init(seed: UInt64) { random = Seeded(state: seed) }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func scalar() -> AttenuatingValue {
        Self.scalars.randomElement(using: &random) ?? .null
    }

    mutating func values(atLeast least: Int) -> Set<AttenuatingValue> {
        var values: Set<AttenuatingValue> = []
        while values.count < least || chance(60) { values.insert(scalar()) }
        return values
    }

    mutating func bound() -> AttenuatingRange.Bound? {
        chance(30) ? nil : .init([-1, 0, 1, 1.5, 2].randomElement(using: &random) ?? 0, isInclusive: chance(60))
    }

    mutating func constraint(depth: Int = 3) -> AttenuatingConstraint {
        switch Int.random(in: 0..<(depth > 1 ? 9 : 7), using: &random) {
        case 0: return .exact(scalar())
        case 1: return .range(AttenuatingRange(minimum: bound(), maximum: bound()))
        case 2: return .oneOf(values(atLeast: 1))
        case 3: return .notOneOf(values(atLeast: 0))
        case 4: return .contains(values(atLeast: 0))
        case 5: return .subset(values(atLeast: 0))
        case 6: return .wildcard
        case 7: return .all(clauses(depth: depth - 1))
        default: return .any(clauses(depth: depth - 1))
        }
    }

    private mutating func clauses(depth: Int) -> [AttenuatingConstraint] {
        (0..<Int.random(in: 1...3, using: &random)).map { _ in constraint(depth: depth) }
    }

    /// A change of a constraint: mostly what looks like a narrowing, now and then not.
    mutating func changed(_ constraint: AttenuatingConstraint) -> AttenuatingConstraint {
        if chance(10) { return self.constraint() }
        switch constraint {
        case .exact: return constraint
        case .range(let range):
            if chance(30) { return .exact(scalar()) }
            let minimum = chance(50) ? range.minimum : bound()
            return .range(AttenuatingRange(minimum: minimum, maximum: chance(50) ? range.maximum : bound()))
        case .oneOf(let values):
            if chance(30) { return .exact(values.randomElement(using: &random) ?? .null) }
            return .oneOf(values.filter { _ in chance(70) }.union(chance(15) ? [scalar()] : []))
        case .notOneOf(let values): return .notOneOf(values.union(chance(60) ? [scalar()] : []))
        case .contains(let values): return .contains(values.union(chance(60) ? [scalar()] : []))
        case .subset(let values): return .subset(values.filter { _ in chance(70) })
        case .wildcard: return self.constraint()
        case .all(let clauses):
            return .all(clauses.map { changed($0) } + (chance(30) ? [self.constraint(depth: 1)] : []))
        case .any(let clauses):
            let kept = clauses.filter { _ in chance(70) }
            return .any((kept.isEmpty ? clauses : kept).map { changed($0) })
        }
    }

    mutating func tool() -> AttenuatingTool {
        var arguments: [[UInt8]: AttenuatingArgument] = [:]
        for name in Self.names where chance(60) {
            arguments[name] = AttenuatingArgument(constraint: constraint(), isOptional: chance(30))
        }
        return AttenuatingTool(arguments: arguments, isOpen: arguments.isEmpty || chance(30))
    }

    mutating func changed(_ tool: AttenuatingTool) -> AttenuatingTool {
        var arguments: [[UInt8]: AttenuatingArgument] = [:]
        for name in Self.names {
            guard let argument = tool.arguments[name] else {
                if chance(20) {
                    arguments[name] = AttenuatingArgument(constraint: constraint(), isOptional: chance(40))
                }
                continue
            }
            guard !(argument.isOptional && chance(30)), !chance(5) else { continue }
            arguments[name] = AttenuatingArgument(
                constraint: changed(argument.constraint), isOptional: argument.isOptional ? chance(60) : chance(5))
        }
        return AttenuatingTool(arguments: arguments, isOpen: tool.isOpen ? chance(70) : chance(5))
    }

    /// A call that names one of the tools, with none, one or both of the arguments.
    mutating func call() -> AttenuatingCall {
        var arguments: [[UInt8]: AttenuatingCall.Argument] = [:]
        for name in Self.names + [Array("z".utf8)] where chance(name == Array("z".utf8) ? 10 : 60) {
            let value = (Self.scalars + Self.lists).randomElement(using: &random) ?? .null
            arguments[name] = chance(10) ? .everything : .value(value)
        }
        return AttenuatingCall(
            tool: Array((Self.tools.randomElement(using: &random) ?? "t").utf8), arguments: arguments)
    }
}

@Suite("Attenuation")
struct AttenuationPropertyTests {
    @Test("Whatever satisfies a child's constraint satisfies its parent's", arguments: 1...4 as ClosedRange<UInt64>)
    func constraints(seed: UInt64) {
        var maker = Maker(seed: seed)
        var (accepted, satisfied) = (0, 0)
        for _ in 0..<4000 {
            let parent = maker.constraint()
            let child = maker.changed(parent)
            guard parent.subsumes(child) else { continue }
            accepted += 1
            for value in Maker.scalars + Maker.lists where child.accepts(value) {
                satisfied += 1
                #expect(parent.accepts(value), "\(value) passes \(child) and not \(parent)")
            }
            #expect(parent.acceptsEverything || !child.acceptsEverything, "\(child) under \(parent)")
        }
        // The test says something only where many pairs are accepted, and many values pass.
        #expect(accepted > 400 && accepted < 4000 && satisfied > 1000)
    }

    @Test("Every call that a child allows its parent allows", arguments: 1...4 as ClosedRange<UInt64>)
    func tools(seed: UInt64) {
        var maker = Maker(seed: seed)
        var (accepted, allowed) = (0, 0)
        for _ in 0..<2000 {
            let parent = maker.tool()
            let child = maker.changed(parent)
            guard parent.subsumes(child) else { continue }
            accepted += 1
            for _ in 0..<12 {
                let call = maker.call()
                guard child.allows(call.arguments) else { continue }
                allowed += 1
                #expect(parent.allows(call.arguments), "\(call) passes \(child) and not \(parent)")
            }
        }
        #expect(accepted > 200 && accepted < 2000 && allowed > 200)
    }

    @Test("A chain of any length lets no call through that its root refuses", arguments: 1...4 as ClosedRange<UInt64>)
    func chains(seed: UInt64) {
        var maker = Maker(seed: seed)
        var (longest, allowed) = (0, 0)
        for _ in 0..<1000 {
            let root = maker.tool()
            var (leaf, length) = (root, 0)
            for _ in 0..<6 {
                let child = maker.changed(leaf)
                guard leaf.subsumes(child) else { continue }
                (leaf, length) = (child, length + 1)
            }
            longest = max(longest, length)
            for _ in 0..<12 {
                let call = maker.call()
                guard leaf.allows(call.arguments) else { continue }
                allowed += 1
                #expect(root.allows(call.arguments), "\(call) passes \(leaf) and not \(root)")
            }
        }
        #expect(longest > 3 && allowed > 200)
    }
}
