import Bytes
import Delegation
import JSON

/// The constraint of an argument, read out of a tool's map.
func constraint(_ json: String) throws -> AttenuatingConstraint {
    let tool = try tool(#"{"x":\#(json)}"#)
    guard let argument = tool.arguments[Array("x".utf8)] else { throw AttenuatingFault.form }
    return argument.constraint
}

/// A tool's map.
func tool(_ json: String) throws -> AttenuatingTool {
    let document = try JSONDocument(json.utf8.span, limits: AttenuatingCapabilities.jsonLimits)
    return try AttenuatingTool(document.root)
}

/// The value of `tools`.
func capabilities(_ json: String) throws -> AttenuatingCapabilities {
    let document = try JSONDocument(json.utf8.span, limits: AttenuatingCapabilities.jsonLimits)
    return try AttenuatingCapabilities(tools: document.root)
}

/// A value of an argument.
func value(_ json: String) throws -> AttenuatingValue {
    let document = try JSONDocument(json.utf8.span, limits: AttenuatingCapabilities.jsonLimits)
    return try AttenuatingValue(document.root)
}

/// A call with the arguments that an object holds.
func call(_ tool: String, _ json: String) throws -> AttenuatingCall {
    let document = try JSONDocument(json.utf8.span, limits: AttenuatingCapabilities.jsonLimits)
    var arguments: [[UInt8]: AttenuatingCall.Argument] = [:]
    var members = document.root.members
    while let member = members.next() {
        arguments[Array(copying: member.name)] = .value(try AttenuatingValue(member.value))
    }
    return AttenuatingCall(tool: Array(tool.utf8), arguments: arguments)
}
