import Bytes
public import JSON

/// An argument of a call, or a value that a constraint compares it with (draft-niyikiza-oauth-attenuating-agent-tokens-02
/// §3.4).
///
/// Two are equal where their canonical forms are (RFC 8785): text by its bytes, numbers by their doubles, objects whatever
/// the order of their members.
public enum AttenuatingValue: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number that a double holds as it was written.
    case number(Double)
    /// A string, as UTF-8.
    case text([UInt8])
    /// An array.
    case list([AttenuatingValue])
    /// An object.
    case object([[UInt8]: AttenuatingValue])

    /// Reads a value.
    ///
    /// - Throws: `precision` where it holds a number that a double cannot hold as it is written.
    public init(_ value: JSONValue) throws(AttenuatingFault) {
        switch value.kind {
        case .null: self = .null
        case .bool: self = .bool(value.bool == true)
        case .number: self = .number(try Self.number(value))
        case .string: self = .text(Self.bytes(of: value.text))
        case .array: self = .list(try Self.elements(of: value))
        case .object: self = .object(try Self.members(of: value))
        }
    }

    /// A string.
    public static func string(_ text: String) -> AttenuatingValue { .text(Array(text.utf8)) }

    /// Whether it is neither an array nor an object.
    var isScalar: Bool {
        switch self {
        case .null, .bool, .number, .text: true
        case .list, .object: false
        }
    }

    /// The elements of an array.
    static func elements(of value: JSONValue) throws(AttenuatingFault) -> [AttenuatingValue] {
        var list: [AttenuatingValue] = []
        var elements = value.elements
        while let element = elements.next() { list.append(try AttenuatingValue(element)) }
        return list
    }

    /// The double that a number is, exactly as written.
    static func number(_ value: JSONValue) throws(AttenuatingFault) -> Double {
        guard let number = value.number, let written = DecimalNumber(value.raw),
            written == DecimalNumber(number.description.utf8.span)
        else { throw .precision }
        return number
    }

    private static func members(of value: JSONValue) throws(AttenuatingFault) -> [[UInt8]: AttenuatingValue] {
        var object: [[UInt8]: AttenuatingValue] = [:]
        var members = value.members
        while let member = members.next() { object[Array(copying: member.name)] = try AttenuatingValue(member.value) }
        return object
    }

    private static func bytes(of text: Span<UInt8>?) -> [UInt8] {
        guard let text else { return [] }
        return Array(copying: text)
    }
}

/// A decimal number by its significant digits, so that two spellings of one number are equal.
struct DecimalNumber: Equatable {
    private var isNegative = false
    private var digits: [UInt8] = []
    /// The power of ten of the last digit.
    private var exponent = 0

    /// Takes a number apart as JSON writes it (RFC 8259 §6), or as Swift does; nothing where its exponent is beyond reason.
    init?(_ text: Span<UInt8>) {
        var offset = 0
        if offset < text.count, text[offset] == UInt8(ascii: "-") {
            isNegative = true
            offset += 1
        }
        var isFraction = false
        while offset < text.count {
            let byte = text[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.append(byte)
                if isFraction { exponent -= 1 }
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard let power = Self.power(text.extracting(offset..<text.count)) else { return nil }
                exponent += power
                offset = text.count
            default: return nil
            }
        }
        normalize()
    }

    private static func power(_ text: Span<UInt8>) -> Int? {
        guard text.count <= 8, let text = String(validating: text) else { return nil }
        return Int(text)
    }

    private mutating func normalize() {
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        if let first = digits.firstIndex(where: { $0 != UInt8(ascii: "0") }) {
            digits.removeFirst(first)
        } else {
            self = DecimalNumber()
        }
    }

    private init() {}
}

extension AttenuatingValue {
    /// Whether both are strings, both numbers, and so on.
    func isOfKind(of other: AttenuatingValue) -> Bool {
        switch (self, other) {
        case (.null, .null), (.bool, .bool), (.number, .number), (.text, .text), (.list, .list), (.object, .object):
            true
        default: false
        }
    }
}
