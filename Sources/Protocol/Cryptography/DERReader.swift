import Bytes

/// One value in DER: what it is, and where its content lies in the bytes that it was read from.
struct DERElement {
    /// The identifier octet: class, form and number; numbers above 30 are not read.
    let tag: UInt8
    /// Where the identifier octet stands.
    let start: Int
    /// The content octets.
    let content: Range<Int>

    /// Header and content.
    var whole: Range<Int> { start..<content.upperBound }
}

/// The identifier octets that are looked for.
enum DERTag {
    static let boolean: UInt8 = 0x01
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let null: UInt8 = 0x05
    static let objectIdentifier: UInt8 = 0x06
    static let enumerated: UInt8 = 0x0A
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let sequence: UInt8 = 0x30

    /// The identifier of a field of that number, as implicit tagging writes it (constructed where it holds fields).
    static func field(_ number: UInt8, isConstructed: Bool) -> UInt8 { 0x80 | (isConstructed ? 0x20 : 0) | number }
}

/// Reads values of DER (X.690) one after the other: lengths are definite and as short as they can be, and lie within the bytes.
struct DERReader: ~Escapable {
    /// All bytes; places in elements are places in these.
    let bytes: Span<UInt8>
    private(set) var position: Int
    private let end: Int

    /// Reads all of `bytes`.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.init(bytes, 0..<bytes.count)
    }

    /// Reads a part of `bytes`, such as the content of an element.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// Whether everything was read.
    var isAtEnd: Bool { position == end }

    /// The identifier octet of the next value, if there is one.
    var nextTag: UInt8? { position < end ? bytes[position] : nil }

    /// The next value, whatever it is.
    mutating func next() throws(RevocationListError) -> DERElement {
        let start = position
        guard start + 1 < end, bytes[start] & 0x1F != 0x1F else { throw .malformed }
        var content = start + 2
        var length = Int(bytes[start + 1])
        if length >= 0x80 {
            let count = length & 0x7F
            guard (1...4).contains(count), content + count <= end, bytes[content] != 0 else { throw .malformed }
            length = 0
            for index in content..<content + count { length = length << 8 | Int(bytes[index]) }
            guard length >= 0x80 else { throw .malformed }
            content += count
        }
        guard length <= end - content else { throw .malformed }
        position = content + length
        return DERElement(tag: bytes[start], start: start, content: content..<position)
    }

    /// The next value, which must be of that kind.
    mutating func next(_ tag: UInt8) throws(RevocationListError) -> DERElement {
        let element = try next()
        guard element.tag == tag else { throw .malformed }
        return element
    }

    /// The next value where it is of that kind; otherwise nothing is read.
    mutating func optional(_ tag: UInt8) throws(RevocationListError) -> DERElement? {
        nextTag == tag ? try next() : nil
    }

    /// A reader of what an element holds.
    @_lifetime(copy self)
    func inside(_ element: DERElement) -> DERReader {
        DERReader(bytes, element.content)
    }

    /// The content of an element.
    @_lifetime(copy self)
    func content(of element: DERElement) -> Span<UInt8> {
        bytes.extracting(element.content)
    }

    /// Whether the content of an element is exactly that.
    func isContent(of element: DERElement, _ expected: [UInt8]) -> Bool {
        content(of: element).equals(expected.span)
    }
}

// MARK: - Values

extension DERReader {
    /// TRUE or FALSE, the one spelling of each.
    func boolean(_ element: DERElement) throws(RevocationListError) -> Bool {
        guard element.content.count == 1 else { throw .malformed }
        switch bytes[element.content.lowerBound] {
        case 0: return false
        case 0xFF: return true
        default: throw .malformed
        }
    }

    /// Checks that an integer is written as briefly as it can be (X.690 §8.3.2).
    func checkInteger(_ element: DERElement) throws(RevocationListError) {
        let content = content(of: element)
        guard content.count > 0 else { throw .malformed }
        guard content.count > 1 else { return }
        let isPadded = content[0] == 0 && content[1] < 0x80 || content[0] == 0xFF && content[1] >= 0x80
        guard !isPadded else { throw .malformed }
    }

    /// A time as RFC 5280 §4.1.2.5 has it: to the second, in UTC.
    func time(_ element: DERElement) throws(RevocationListError) -> UnixTime {
        let text = content(of: element)
        let yearDigits = element.tag == DERTag.generalizedTime ? 4 : 2
        guard element.tag == DERTag.generalizedTime || element.tag == DERTag.utcTime,
            text.count == yearDigits + 11, text[text.count - 1] == UInt8(ascii: "Z")
        else { throw .malformed }
        var year = try number(text, 0..<yearDigits)
        if yearDigits == 2 { year += year < 50 ? 2000 : 1900 }
        var fields: [Int] = []
        for index in 0..<5 {
            let start = yearDigits + 2 * index
            fields.append(try number(text, start..<start + 2))
        }
        guard (1...12).contains(fields[0]), (1...31).contains(fields[1]), fields[2] < 24, fields[3] < 60, fields[4] < 60
        else { throw .malformed }
        let days = Self.daysSinceEpoch(year: year, month: fields[0], day: fields[1])
        return UnixTime(seconds: Int64(days) * 86_400 + Int64(fields[2] * 3600 + fields[3] * 60 + fields[4]))
    }

    private func number(_ text: Span<UInt8>, _ range: Range<Int>) throws(RevocationListError) -> Int {
        var number = 0
        for index in range {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) else { throw .malformed }
            number = number * 10 + Int(text[index] - UInt8(ascii: "0"))
        }
        return number
    }

    /// Days to a date, counting years from March so that the leap day comes last.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let shifted = (month > 2 ? year : year - 1) + 400
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return (era - 1) * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
