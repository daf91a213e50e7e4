import Bytes
import Foundation
import JSON

/// The JSON reader beside Foundation's: it accepts nothing that Foundation refuses, refuses only for a reason of its own
/// what Foundation accepts, and reads the same values.
final class JSONHarness: Harness {
    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        let reference = try? JSONSerialization.jsonObject(with: Data(Array(copying: input)), options: .fragmentsAllowed)
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(input)
        } catch {
            try demand(
                reference == nil || Self.isStricter(error, on: input),
                "what Foundation reads is refused only where we mean to be stricter (\(error))")
            return false
        }
        if let reference {
            try demand(JSONAgreement.holds(document.root, reference), "the values are those that Foundation reads")
        } else {
            try demand(JSONAgreement.isBeyondFoundation(document.root), "what is accepted is what Foundation reads")
        }
        try checkRanges(document.root, within: ByteRange(start: 0, count: input.count))
        try checkWriting(document.root)
        return true
    }

    /// Whether Foundation accepts what RFC 8259 leaves to us or forbids: then we are right to refuse it.
    private static func isStricter(_ error: JSONError, on input: Span<UInt8>) -> Bool {
        switch error {
        case .byteOrderMark, .duplicateMember, .loneSurrogate, .tooDeep, .tooManyMembers, .tooLarge: return true
        case .unexpectedByte(let offset) where isTrailingComma(before: offset, in: input): return true
        case .controlCharacter, .invalidEscape, .invalidNumber, .invalidUTF8, .trailingData, .truncated,
            .unexpectedByte:
            // Foundation reads UTF-16 and UTF-32 too.
            return input.firstIndex(of: 0) != nil || String(validating: input) == nil
        }
    }

    /// Whether a container ends at `offset` behind a comma.
    private static func isTrailingComma(before offset: Int, in input: Span<UInt8>) -> Bool {
        guard input[offset] == UInt8(ascii: "]") || input[offset] == UInt8(ascii: "}") else { return false }
        var index = offset - 1
        while index > 0, [0x20, 0x09, 0x0A, 0x0D].contains(input[index]) { index -= 1 }
        return index > 0 && input[index] == UInt8(ascii: ",")
    }

    /// Each value stands within the one that holds it.
    private func checkRanges(_ value: JSONValue, within outer: ByteRange) throws(Violation) {
        let range = value.rawRange
        try demand(
            outer.offsets.contains(range.offsets.lowerBound) && range.offsets.upperBound <= outer.offsets.upperBound,
            "a value stands within the one that holds it")
        var children = 0
        var elements = value.elements
        while let element = elements.next() {
            children += 1
            try checkRanges(element, within: range)
        }
        var members = value.members
        while let member = members.next() {
            children += 1
            try checkRanges(member.value, within: range)
        }
        try demand(children == value.count, "a container has as many children as it says")
    }

    /// What is written out of the values is read as the same values.
    private func checkWriting(_ value: JSONValue) throws(Violation) {
        let text = JSONAgreement.text(of: value)
        let document = try parsed(text.utf8.span, "values written out are read again")
        try demand(JSONAgreement.text(of: document.root) == text, "values written out are read as the same values")
    }
}
