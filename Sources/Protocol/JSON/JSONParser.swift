import Bytes

/// Reads a JSON text once, from front to back, and writes the tape; it never recurses.
struct JSONParser: ~Escapable {
    private let input: Span<UInt8>
    private let limits: JSONLimits
    private var offset = 0
    private var depth = 0
    /// The innermost open container's index plus one; 0 where none is open.
    private var open: UInt32 = 0
    private(set) var nodes: [JSONNode] = []
    /// The text as written and, behind it, the strings that had to be unescaped.
    private(set) var bytes: [UInt8]

    @_lifetime(copy input)
    init(_ input: Span<UInt8>, limits: JSONLimits) throws(JSONError) {
        guard input.count <= limits.bytes else { throw .tooLarge }
        self.input = input
        self.limits = limits
        bytes = Array(copying: input)
        nodes.reserveCapacity(input.count / 10 + 4)
    }

    @_lifetime(self: copy self)
    mutating func parse() throws(JSONError) {
        if input.count >= 3, input[0] == 0xEF, input[1] == 0xBB, input[2] == 0xBF { throw .byteOrderMark }
        skipWhitespace()
        try parseValue()
        while open > 0 { try parseNext(in: Int(open) - 1) }
        skipWhitespace()
        guard offset == input.count else { throw .trailingData(at: offset) }
    }

    /// Closes the container, or parses its next element or member.
    @_lifetime(self: copy self)
    private mutating func parseNext(in container: Int) throws(JSONError) {
        let isObject = nodes[container].kind == .object
        skipWhitespace()
        if try peek() == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            offset += 1
            return close(container)
        }
        if nodes[container].textCount > 0 {
            try expect(UInt8(ascii: ","))
            skipWhitespace()
        }
        if isObject { try parseName(in: container) }
        nodes[container].textCount += 1
        try parseValue()
    }

    @_lifetime(self: copy self)
    private mutating func parseName(in object: Int) throws(JSONError) {
        let start = offset
        guard nodes[object].textCount < limits.members else { throw .tooManyMembers(at: start) }
        guard try peek() == UInt8(ascii: "\"") else { throw .unexpectedByte(at: start) }
        try parseString()
        let name = nodes.count - 1
        nodes[name].link = digest(of: name)
        guard !isNamed(like: name, in: object) else { throw .duplicateMember(at: start) }
        skipWhitespace()
        try expect(UInt8(ascii: ":"))
        skipWhitespace()
    }

    @_lifetime(self: copy self)
    private mutating func parseValue() throws(JSONError) {
        switch try peek() {
        case UInt8(ascii: "\""): try parseString()
        case UInt8(ascii: "{"): try openContainer(.object)
        case UInt8(ascii: "["): try openContainer(.array)
        case UInt8(ascii: "t"): try parseLiteral("true", .bool)
        case UInt8(ascii: "f"): try parseLiteral("false", .bool)
        case UInt8(ascii: "n"): try parseLiteral("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try parseNumber()
        default: throw .unexpectedByte(at: offset)
        }
    }

    @_lifetime(self: copy self)
    private mutating func openContainer(_ kind: JSONKind) throws(JSONError) {
        guard depth < limits.depth else { throw .tooDeep(at: offset) }
        depth += 1
        append(kind, from: offset, to: offset + 1)
        nodes[nodes.count - 1].link = open
        open = UInt32(nodes.count)
        offset += 1
    }

    @_lifetime(self: copy self)
    private mutating func close(_ container: Int) {
        depth -= 1
        open = nodes[container].link
        nodes[container].link = UInt32(nodes.count)
        nodes[container].count = UInt32(offset) - nodes[container].start
    }

    @_lifetime(self: copy self)
    private mutating func parseLiteral(_ text: StaticString, _ kind: JSONKind) throws(JSONError) {
        let end = offset + text.utf8CodeUnitCount
        guard end <= input.count else { throw .truncated }
        guard input.extracting(offset..<end).equals(text) else { throw .unexpectedByte(at: offset) }
        append(kind, from: offset, to: end)
        offset = end
    }

    // MARK: Numbers

    @_lifetime(self: copy self)
    private mutating func parseNumber() throws(JSONError) {
        let start = offset
        if input[offset] == UInt8(ascii: "-") { offset += 1 }
        let first = offset
        try skipDigits()
        guard input[first] != UInt8(ascii: "0") || offset == first + 1 else { throw .invalidNumber(at: start) }
        if offset < input.count, input[offset] == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if offset < input.count, input[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < input.count, input[offset] == UInt8(ascii: "+") || input[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            try skipDigits()
        }
        append(.number, from: start, to: offset)
    }

    /// Skips one digit or more.
    @_lifetime(self: copy self)
    private mutating func skipDigits() throws(JSONError) {
        let start = offset
        while offset < input.count, input[offset] >= UInt8(ascii: "0"), input[offset] <= UInt8(ascii: "9") {
            offset += 1
        }
        guard offset > start else { throw offset == input.count ? .truncated : .invalidNumber(at: offset) }
    }

    // MARK: Strings

    @_lifetime(self: copy self)
    private mutating func parseString() throws(JSONError) {
        let quote = offset
        var index = quote + 1
        var isEscaped = false
        var seen: UInt8 = 0
        scan: while true {
            guard index < input.count else { throw .truncated }
            let byte = input[index]
            switch byte {
            case UInt8(ascii: "\""): break scan
            case UInt8(ascii: "\\"):
                isEscaped = true
                index += 2
            case 0..<0x20: throw .controlCharacter(at: index)
            default:
                seen |= byte
                index += 1
            }
        }
        let text = quote + 1..<index
        if seen >= 0x80 { try validate(text) }
        append(.string, from: quote, to: index + 1)
        offset = index + 1
        if isEscaped {
            try setText(unescaping: text)
        } else {
            nodes[nodes.count - 1].textStart = UInt32(text.lowerBound)
            nodes[nodes.count - 1].textCount = UInt32(text.count)
        }
    }

    private func validate(_ text: Range<Int>) throws(JSONError) {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: input.extracting(text))
        } catch {
            throw .invalidUTF8(at: text.lowerBound)
        }
    }

    @_lifetime(self: copy self)
    private mutating func setText(unescaping text: Range<Int>) throws(JSONError) {
        let start = bytes.count
        var index = text.lowerBound
        while index < text.upperBound {
            guard input[index] == UInt8(ascii: "\\") else {
                bytes.append(input[index])
                index += 1
                continue
            }
            if input[index + 1] == UInt8(ascii: "u") {
                let (scalar, length) = try escapedScalar(at: index, before: text.upperBound)
                for unit in Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter {
                    bytes.append(unit)
                }
                index += length
            } else {
                bytes.append(try escapedByte(at: index))
                index += 2
            }
        }
        nodes[nodes.count - 1].textStart = UInt32(start)
        nodes[nodes.count - 1].textCount = UInt32(bytes.count - start)
    }

    private func escapedByte(at offset: Int) throws(JSONError) -> UInt8 {
        switch input[offset + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return input[offset + 1]
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        default: throw .invalidEscape(at: offset)
        }
    }

    /// Reads a `\u` escape of four digits, or two of them that are a surrogate pair, and says how many bytes that took.
    private func escapedScalar(at offset: Int, before end: Int) throws(JSONError) -> (Unicode.Scalar, Int) {
        let unit = try escapedUnit(at: offset, before: end)
        if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
        let isFirst = unit < 0xDC00
        guard isFirst, offset + 7 < end, input[offset + 6] == UInt8(ascii: "\\"), input[offset + 7] == UInt8(ascii: "u")
        else { throw .loneSurrogate(at: offset) }
        let second = try escapedUnit(at: offset + 6, before: end)
        guard 0xDC00...0xDFFF ~= second,
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { throw .loneSurrogate(at: offset) }
        return (scalar, 12)
    }

    private func escapedUnit(at offset: Int, before end: Int) throws(JSONError) -> UInt16 {
        guard offset + 6 <= end else { throw .invalidEscape(at: offset) }
        var unit: UInt16 = 0
        for index in offset + 2..<offset + 6 {
            let digit: UInt8
            switch input[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = input[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = input[index] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = input[index] - UInt8(ascii: "A") + 10
            default: throw .invalidEscape(at: offset)
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    // MARK: Names

    private func isNamed(like name: Int, in object: Int) -> Bool {
        let digest = nodes[name].link
        let text = bytes.span.extracting(nodes[name].textRange)
        var other = object + 1
        while other < name {
            if nodes[other].link == digest, bytes.span.extracting(nodes[other].textRange).equals(text) { return true }
            other = Int(nodes[other + 1].link)
        }
        return false
    }

    /// FNV-1a; only a filter before names are compared.
    private func digest(of name: Int) -> UInt32 {
        var digest: UInt32 = 0x811C_9DC5
        for index in nodes[name].textRange { digest = (digest ^ UInt32(bytes[index])) &* 0x0100_0193 }
        return digest
    }

    // MARK: Bytes

    @_lifetime(self: copy self)
    private mutating func append(_ kind: JSONKind, from start: Int, to end: Int) {
        nodes.append(
            JSONNode(
                kind: kind, start: UInt32(start), count: UInt32(end - start), textStart: 0, textCount: 0,
                link: UInt32(nodes.count) + 1))
    }

    @_lifetime(self: copy self)
    private mutating func skipWhitespace() {
        while offset < input.count {
            switch input[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard offset < input.count else { throw .truncated }
        return input[offset]
    }

    @_lifetime(self: copy self)
    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard try peek() == byte else { throw .unexpectedByte(at: offset) }
        offset += 1
    }
}
