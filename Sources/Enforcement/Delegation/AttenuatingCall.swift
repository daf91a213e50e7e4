/// A call of a tool, as capabilities are asked about it.
public struct AttenuatingCall: Equatable, Sendable {
    /// What is given for an argument.
    public enum Argument: Equatable, Sendable {
        /// A value.
        case value(AttenuatingValue)
        /// All values at once: only what restricts the argument in no way allows it.
        case everything

        func satisfies(_ constraint: AttenuatingConstraint) -> Bool {
            switch self {
            case .value(let value): constraint.accepts(value)
            case .everything: constraint.acceptsEverything
            }
        }
    }

    /// The tool's name, compared byte for byte.
    public let tool: [UInt8]
    /// The arguments by their names.
    public let arguments: [[UInt8]: Argument]

    /// Makes a call.
    public init(tool: [UInt8], arguments: [[UInt8]: Argument]) {
        self.tool = tool
        self.arguments = arguments
    }

    /// The call that a request for a scope is: of the tool `action:resource` with the one argument `identifier`.
    ///
    /// - Parameter identifier: which of the resources; nothing: all of them.
    /// - Returns: nothing where a part is empty or is not UTF-8, or where a colon in one of the first two would make
    ///   another tool's name of them.
    public init?(action: [UInt8], resource: [UInt8], identifier: [UInt8]?) {
        let colon = UInt8(ascii: ":")
        guard !action.isEmpty, !resource.isEmpty, !action.contains(colon), !resource.contains(colon) else { return nil }
        var argument = Argument.everything
        if let identifier {
            guard !identifier.isEmpty, (try? UTF8Span(validating: identifier.span)) != nil else { return nil }
            argument = .value(.text(identifier))
        }
        self.init(tool: action + [colon] + resource, arguments: [Self.identifierName: argument])
    }

    /// The name of the argument that the last part of a scope is.
    private static let identifierName = Array("identifier".utf8)
}
