import Bytes
import Delegation
import Foundation
import JSON

/// Capabilities of a parent and of a child, and calls: whatever the child allows its parent allows, if it is accepted as
/// that.
///
/// An input is an array of the two lists of tools, and of calls: objects of a `tool` and its `arguments`.
final class AttenuationHarness: Harness {
    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(input, limits: AttenuatingCapabilities.jsonLimits)
        } catch {
            return false
        }
        return try judge(document)
    }

    private func judge(_ document: borrowing JSONDocument) throws(Violation) -> Bool {
        var elements = document.root.elements
        guard let first = elements.next(), let parent = try capabilities(first), let second = elements.next(),
            let child = try capabilities(second)
        else { return false }
        try demand(parent.subsume(parent) && child.subsume(child), "what is equal is as narrow")
        try demand(parent.subsume(.none), "nothing is narrower than all else")
        try demand(AttenuatingCapabilities.none.subsume(child) == child.tools.isEmpty, "nothing covers nothing else")
        let isNarrower = parent.subsume(child)
        while let element = elements.next() {
            for call in calls(element) {
                try demand(
                    !isNarrower || !child.allow(call) || parent.allow(call), "a parent allows what its child does")
                if child.allow(call) { try demand(child.tools[call.tool] != nil, "a tool that is called is listed") }
            }
        }
        return isNarrower
    }

    /// The list, read twice, and as many tools in it as Foundation sees.
    private func capabilities(_ value: JSONValue) throws(Violation) -> AttenuatingCapabilities? {
        guard let one = try? AttenuatingCapabilities(tools: value) else { return nil }
        let again = try demand(try? AttenuatingCapabilities(tools: value), "what is read once is read again")
        try demand(one == again, "what is read twice is the same")
        let object = try? JSONSerialization.jsonObject(with: Data(Array(copying: value.raw))) as? [String: Any]
        if let object { try demand(object.count == one.tools.count, "every tool is read") }
        return one
    }

    /// A call as it is written, and the same with all values at once in place of each argument.
    private func calls(_ value: JSONValue) -> [AttenuatingCall] {
        guard let tool = value.member("tool")?.text, let map = value.member("arguments") else { return [] }
        var arguments: [[UInt8]: AttenuatingCall.Argument] = [:]
        var members = map.members
        while let member = members.next() {
            guard let argument = try? AttenuatingValue(member.value) else { return [] }
            arguments[Array(copying: member.name)] = .value(argument)
        }
        let name = Array(copying: tool)
        var calls = [AttenuatingCall(tool: name, arguments: arguments)]
        for key in arguments.keys {
            var changed = arguments
            changed[key] = .everything
            calls.append(AttenuatingCall(tool: name, arguments: changed))
        }
        return calls
    }
}
