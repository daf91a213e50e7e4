import Bytes
public import JSON

/// What an argument that a tool's map names must be.
public struct AttenuatingArgument: Equatable, Sendable {
    /// What it must satisfy where it is given.
    public let constraint: AttenuatingConstraint
    /// Whether a call may do without it.
    public let isOptional: Bool

    /// Makes an argument.
    public init(constraint: AttenuatingConstraint, isOptional: Bool = false) {
        self.constraint = constraint
        self.isOptional = isOptional
    }
}

/// With which arguments a tool may be called (draft-niyikiza-oauth-attenuating-agent-tokens-02 §3.3).
public struct AttenuatingTool: Equatable, Sendable {
    /// The arguments that the map names, by their names.
    public let arguments: [[UInt8]: AttenuatingArgument]
    /// Whether arguments that it does not name may be given, with any value: it has the entry `*`, or is empty.
    public let isOpen: Bool

    /// The reserved name of all arguments that the map does not name.
    private static let others = "*"

    /// Makes a tool.
    public init(arguments: [[UInt8]: AttenuatingArgument], isOpen: Bool) {
        self.arguments = arguments
        self.isOpen = isOpen
    }

    /// Reads a tool's map of constraints.
    public init(_ map: JSONValue) throws(AttenuatingFault) {
        guard map.kind == .object else { throw .form }
        var reader = AttenuatingConstraintReader()
        var arguments: [[UInt8]: AttenuatingArgument] = [:]
        var isOpen = map.count == 0
        var members = map.members
        while let member = members.next() {
            let isNamed = !member.name.equals(utf8: Self.others)
            let argument = try reader.argument(member.value, isNamed: isNamed)
            if isNamed {
                arguments[Array(copying: member.name)] = argument
            } else {
                guard argument.constraint == .wildcard else { throw .constraint }
                isOpen = true
            }
        }
        self.init(arguments: arguments, isOpen: isOpen)
    }

    /// Whether it may be called with those arguments: each that is given is allowed, and none is missing.
    public func allows(_ given: [[UInt8]: AttenuatingCall.Argument]) -> Bool {
        for (name, argument) in given {
            guard let rule = arguments[name] else {
                guard isOpen else { return false }
                continue
            }
            guard argument.satisfies(rule.constraint) else { return false }
        }
        return arguments.allSatisfy { name, rule in rule.isOptional || given[name] != nil }
    }

    /// Whether every call that `other` allows is allowed by this one too, as far as their forms show it (§4.5).
    public func subsumes(_ other: AttenuatingTool) -> Bool {
        guard isOpen || !other.isOpen else { return false }
        for (name, argument) in other.arguments {
            guard let own = arguments[name] else {
                guard isOpen else { return false }
                continue
            }
            guard own.isOptional || !argument.isOptional, own.constraint.subsumes(argument.constraint) else {
                return false
            }
        }
        // Whatever the other does not name it forbids, or lets in by being open.
        return arguments.allSatisfy { name, own in
            other.arguments[name] != nil || (own.isOptional && !other.isOpen)
        }
    }
}
