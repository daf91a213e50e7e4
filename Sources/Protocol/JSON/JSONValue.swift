public import Bytes

/// A value inside a ``JSONDocument``: a view that costs nothing to copy and cannot outlive the document.
///
/// Each accessor answers nothing where the value is of another kind: nothing is ever converted.
public struct JSONValue: ~Escapable {
    let bytes: Span<UInt8>
    let nodes: Span<JSONNode>
    let index: Int

    @_lifetime(copy bytes, copy nodes)
    init(bytes: Span<UInt8>, nodes: Span<JSONNode>, index: Int) {
        self.bytes = bytes
        self.nodes = nodes
        self.index = index
    }

    private var node: JSONNode { nodes[index] }

    /// What kind of value it is.
    public var kind: JSONKind { node.kind }

    /// Whether it is `null`.
    public var isNull: Bool { node.kind == .null }

    /// The truth value, of a literal.
    public var bool: Bool? {
        node.kind == .bool ? bytes[Int(node.start)] == UInt8(ascii: "t") : nil
    }

    /// The number, where it is written as an integer (no fraction, no exponent) that fits.
    public var integer: Int64? {
        guard node.kind == .number else { return nil }
        var range = node.range
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        if isNegative { range = range.lowerBound + 1..<range.upperBound }
        var value: Int64 = 0
        for offset in range {
            let digit = Int64(bytes[offset]) - Int64(UInt8(ascii: "0"))
            guard 0...9 ~= digit else { return nil }
            let (product, productOverflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflows) = product.addingReportingOverflow(isNegative ? -digit : digit)
            guard !productOverflows, !sumOverflows else { return nil }
            value = sum
        }
        return value
    }

    /// The nearest double to the number, where that is finite.
    public var number: Double? {
        guard node.kind == .number, let text = String(validating: raw), let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    /// The text of a string, unescaped: well-formed UTF-8.
    public var text: Span<UInt8>? {
        @_lifetime(copy self)
        get {
            guard node.kind == .string else { return nil }
            return bytes.extracting(node.textRange)
        }
    }

    /// The text of a string, as a copy.
    public var string: String? {
        guard let text else { return nil }
        return String(validating: text)
    }

    /// Whether it is the string `text`.
    public func equals(_ text: StaticString) -> Bool {
        node.kind == .string && bytes.extracting(node.textRange).equals(text)
    }

    /// Whether it is the string `text`, compared by its UTF-8.
    public func equals(utf8 text: String) -> Bool {
        node.kind == .string && bytes.extracting(node.textRange).equals(utf8: text)
    }

    /// The number of elements of an array or members of an object; 0 of anything else.
    public var count: Int {
        node.kind == .array || node.kind == .object ? Int(node.textCount) : 0
    }

    /// The value of an object's member.
    ///
    /// - Returns: nothing where the object has no such member, or the value is not an object.
    @_lifetime(copy self)
    public func member(_ name: StaticString) -> JSONValue? {
        var members = self.members
        while let member = members.next() {
            if member.name.equals(name) { return member.value }
        }
        return nil
    }

    /// The value of an object's member whose name is known only at run time.
    ///
    /// - Returns: nothing where the object has no such member, or the value is not an object.
    @_lifetime(copy self)
    public func member(named name: String) -> JSONValue? {
        var members = self.members
        while let member = members.next() {
            if member.name.equals(utf8: name) { return member.value }
        }
        return nil
    }

    /// The elements of an array, in order; none of anything else.
    public var elements: JSONElements {
        @_lifetime(copy self)
        get { JSONElements(of: self) }
    }

    /// The members of an object, in order; none of anything else.
    public var members: JSONMembers {
        @_lifetime(copy self)
        get { JSONMembers(of: self) }
    }

    /// Where the value stands in the text, as written.
    public var rawRange: ByteRange {
        ByteRange(start: Int(node.start), count: Int(node.count))
    }

    /// The bytes of the value as written: with its quotes and escapes, or its brackets and all between them.
    public var raw: Span<UInt8> {
        @_lifetime(copy self)
        get { bytes.extracting(node.range) }
    }
}
