import Bytes
import JSON

/// The value of a claim that a route may ask for.
public enum ClaimValue: Sendable {
    /// A string.
    case text(String)
    /// A whole number.
    case number(Int64)
    /// `true` or `false`.
    case bool(Bool)
    /// Several values, none of them a list.
    case list([ClaimValue])

    /// Reads a value; nothing of `null`, an object, a number that is not whole, and a list that holds one of these or a list.
    init?(_ value: JSONValue) {
        guard value.kind == .array else {
            self.init(scalar: value)
            return
        }
        var values: [ClaimValue] = []
        var elements = value.elements
        while let element = elements.next() {
            guard let element = ClaimValue(scalar: element) else { return nil }
            values.append(element)
        }
        self = .list(values)
    }

    private init?(scalar value: JSONValue) {
        if let text = value.string {
            self = .text(text)
        } else if let number = value.integer {
            self = .number(number)
        } else if let bool = value.bool {
            self = .bool(bool)
        } else {
            return nil
        }
    }
}

extension ClaimValue: Equatable {
    /// Text is compared by its bytes: the equality of strings would take two spellings of a character for one.
    public static func == (left: ClaimValue, right: ClaimValue) -> Bool {
        switch (left, right) {
        case (.text(let left), .text(let right)): left.utf8.span.equals(utf8: right)
        case (.number(let left), .number(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.list(let left), .list(let right)): left == right
        default: false
        }
    }
}
