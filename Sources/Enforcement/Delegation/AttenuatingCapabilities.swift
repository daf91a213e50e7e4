import Bytes
public import JSON

/// What the holder of an attenuating agent token may do: the tools, and with which arguments
/// (draft-niyikiza-oauth-attenuating-agent-tokens-02 §3.3).
public struct AttenuatingCapabilities: Equatable, Sendable {
    /// The tools by their names, which are compared byte for byte.
    public let tools: [[UInt8]: AttenuatingTool]
    /// The names of the tools in the order of the token.
    public let names: [String]

    /// Nothing at all.
    public static let none = AttenuatingCapabilities(tools: [:], names: [])

    /// The entry of `authorization_details` that holds them (RFC 9396 §2).
    private static let type: StaticString = "attenuating_agent_token"
    private static let maximumCount = 256
    private static let maximumNameLength = 1024

    /// How deep the JSON of a token may lie whose constraints are as deep as they may be, with room for what they compare.
    public static let jsonLimits = JSONLimits(bytes: 1 << 20, depth: 96, members: 256)

    private init(tools: [[UInt8]: AttenuatingTool], names: [String]) {
        self.tools = tools
        self.names = names
    }

    /// Reads the value of `authorization_details`.
    ///
    /// Entries of other types are passed over: they say nothing about tools. A tool's name may hold what a scope may (RFC 6749
    /// §3.3), and the entry nothing but `type` and `tools`: another member could only restrict what is read here.
    ///
    /// - Returns: nothing where there is no entry with capabilities.
    /// - Throws: where there is more than one, or it is not one that we can judge.
    public static func read(_ details: JSONValue) throws(AttenuatingFault) -> AttenuatingCapabilities? {
        guard details.kind == .array else { throw .form }
        var capabilities: AttenuatingCapabilities?
        var entries = details.elements
        while let entry = entries.next() {
            guard entry.kind == .object, let type = entry.member("type"), type.kind == .string else { throw .form }
            guard type.equals(Self.type) else { continue }
            guard capabilities == nil, entry.count == 2, let tools = entry.member("tools") else { throw .form }
            capabilities = try AttenuatingCapabilities(tools: tools)
        }
        return capabilities
    }

    /// Reads the value of `tools`.
    public init(tools map: JSONValue) throws(AttenuatingFault) {
        guard map.kind == .object else { throw .form }
        guard map.count <= Self.maximumCount else { throw .number }
        var tools: [[UInt8]: AttenuatingTool] = [:]
        var names: [String] = []
        var members = map.members
        while let member = members.next() {
            guard let name = Self.name(member.name) else { throw .form }
            names.append(name)
            tools[Array(copying: member.name)] = try AttenuatingTool(member.value)
        }
        self.init(tools: tools, names: names)
    }

    /// Whether they allow a call.
    public func allow(_ call: AttenuatingCall) -> Bool {
        tools[call.tool]?.allows(call.arguments) ?? false
    }

    /// Whether every call that `others` allow is allowed by these too, as far as their forms show it (§4.5).
    public func subsume(_ others: AttenuatingCapabilities) -> Bool {
        others.tools.allSatisfy { name, tool in tools[name]?.subsumes(tool) ?? false }
    }

    private static func name(_ bytes: Span<UInt8>) -> String? {
        guard !bytes.isEmpty, bytes.count <= maximumNameLength else { return nil }
        for index in bytes.indices {
            let byte = bytes[index]
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return nil }
        }
        return String(validating: bytes)
    }
}
