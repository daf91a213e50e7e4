import Bytes
import Foundation
import JSON

/// Comparison of our JSON values with Foundation's.
enum JSONAgreement {
    /// Whether both are the same value.
    static func holds(_ value: JSONValue, _ other: Any) -> Bool {
        switch value.kind {
        case .null: return other is NSNull
        case .bool: return (other as? NSNumber)?.boolValue == value.bool
        case .number: return holds(value, number: other as? NSNumber)
        case .string:
            return holds(value.string, other as? String)
        case .array: return holds(value, array: other as? [Any])
        case .object: return holds(value, object: other as? [String: Any])
        }
    }

    /// Whether both are the same text, or both none.
    ///
    /// Foundation loses a U+FEFF that stands before or behind an escape, so that character does not count.
    static func holds(_ text: String?, _ other: String?) -> Bool {
        guard let text, let other else { return text == nil && other == nil }
        let marks: (Unicode.Scalar) -> Bool = { $0 != "\u{FEFF}" }
        return text.unicodeScalars.filter(marks).elementsEqual(other.unicodeScalars.filter(marks))
    }

    /// Whether Foundation refuses it for reasons of its own: a number that no double holds.
    static func isBeyondFoundation(_ value: JSONValue) -> Bool {
        switch value.kind {
        case .null, .bool, .string: return false
        case .number: return value.number == nil
        case .array:
            var elements = value.elements
            while let element = elements.next() {
                if isBeyondFoundation(element) { return true }
            }
            return false
        case .object:
            var members = value.members
            while let member = members.next() {
                if isBeyondFoundation(member.value) { return true }
            }
            return false
        }
    }

    /// The value as JSON without white space: strings escaped our way, numbers as written.
    static func text(of value: JSONValue) -> String {
        var queue = ByteQueue()
        write(value, to: &queue)
        return String(decoding: Array(copying: queue.readable), as: UTF8.self)
    }

    private static func holds(_ value: JSONValue, number other: NSNumber?) -> Bool {
        guard let other else { return false }
        if let integer = value.integer { return other.int64Value == integer }
        guard let number = value.number else { return true }
        // Foundation may take the way through decimal numbers, which rounds twice.
        return abs(other.doubleValue - number) <= abs(number) * 1e-14
    }

    private static func holds(_ value: JSONValue, array other: [Any]?) -> Bool {
        guard let other, other.count == value.count else { return false }
        var elements = value.elements
        var index = 0
        while let element = elements.next() {
            guard holds(element, other[index]) else { return false }
            index += 1
        }
        return true
    }

    private static func holds(_ value: JSONValue, object other: [String: Any]?) -> Bool {
        guard let other else { return false }
        // Foundation takes names that differ only in Unicode's normal form for one.
        guard other.count == value.count else { return other.count < value.count }
        var members = value.members
        while let member = members.next() {
            guard let name = String(validating: member.name) else { return false }
            if name.unicodeScalars.contains("\u{FEFF}") { continue }
            guard let found = other[name], holds(member.value, found) else { return false }
        }
        return true
    }

    private static func write(_ value: JSONValue, to queue: inout ByteQueue) {
        switch value.kind {
        case .null, .bool, .number: queue.append(value.raw)
        case .string: queue.append(jsonString: value.string ?? "")
        case .array:
            queue.append(UInt8(ascii: "["))
            var elements = value.elements
            var isFirst = true
            while let element = elements.next() {
                if !isFirst { queue.append(UInt8(ascii: ",")) }
                isFirst = false
                write(element, to: &queue)
            }
            queue.append(UInt8(ascii: "]"))
        case .object:
            queue.append(UInt8(ascii: "{"))
            var members = value.members
            var isFirst = true
            while let member = members.next() {
                if !isFirst { queue.append(UInt8(ascii: ",")) }
                isFirst = false
                queue.append(jsonString: String(validating: member.name) ?? "")
                queue.append(UInt8(ascii: ":"))
                write(member.value, to: &queue)
            }
            queue.append(UInt8(ascii: "}"))
        }
    }
}
