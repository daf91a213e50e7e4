import Bytes
import HTTP

/// What the field lines of one message say of its framing and of its connection (RFC 9112 §6 and §9).
///
/// Stricter than the RFC wherever it leaves a choice: a repeated `Content-Length` is refused even if the values agree,
/// `Transfer-Encoding` is `chunked` alone or refused, and both together are refused.
struct FramingFields {
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var saysClose = false
    private(set) var saysKeepAlive = false
    private(set) var saysUpgrade = false
    private(set) var expectsContinue = false
    private(set) var acceptsTrailers = false

    /// Takes note of one line.
    mutating func note(_ name: FieldName, _ value: Span<UInt8>) throws(MessageFault) {
        switch name {
        case .contentLength:
            guard contentLength == nil, let length = Self.decimal(value) else { throw .contentLength }
            contentLength = length
        case .transferEncoding:
            guard !isChunked, value.equalsIgnoringCase("chunked") else { throw .transferEncoding }
            isChunked = true
        case .connection: try noteConnection(value)
        case .expect:
            guard value.equalsIgnoringCase("100-continue") else { throw .expectation }
            expectsContinue = true
        case .te: noteTE(value)
        default: return
        }
    }

    /// Checks the lines against each other and against the message's version.
    func check(_ version: HTTPVersion) throws(MessageFault) {
        if isChunked, version == .http10 { throw .transferEncoding }
        if isChunked, contentLength != nil { throw .framing }
    }

    /// Whether the sender keeps the connection open (RFC 9112 §9.3).
    func keepsAlive(_ version: HTTPVersion) -> Bool {
        !saysClose && (version == .http11 || saysKeepAlive)
    }

    /// What the two framing fields declare; nothing where neither is there.
    var declared: BodyFraming? {
        if isChunked { return .streamed }
        return contentLength.map { $0 == 0 ? BodyFraming.none : .length($0) }
    }

    private mutating func noteConnection(_ value: Span<UInt8>) throws(MessageFault) {
        var elements = ListElements()
        while let range = elements.next(in: value) {
            let option = value.extracting(range)
            guard ByteSet.token.holdsAll(of: option) else { throw .fieldValue }
            if option.equalsIgnoringCase("close") { saysClose = true }
            if option.equalsIgnoringCase("keep-alive") { saysKeepAlive = true }
            if option.equalsIgnoringCase("upgrade") { saysUpgrade = true }
        }
    }

    private mutating func noteTE(_ value: Span<UInt8>) {
        var elements = ListElements()
        while let range = elements.next(in: value) {
            if value.extracting(range).equalsIgnoringCase("trailers") { acceptsTrailers = true }
        }
    }

    /// The value of `1*DIGIT`; nothing for anything else and for what 63 bits do not hold: many a reader would take that
    /// for a negative number.
    static func decimal(_ digits: Span<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for index in digits.indices {
            let digit = digits[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry, sum <= UInt64(Int64.max) else { return nil }
            number = sum
        }
        return number
    }
}

extension FramingFields {
    /// Takes note of one line of an answer, in which `Expect` means nothing.
    mutating func note(response name: FieldName, _ value: Span<UInt8>) throws(MessageFault) {
        if name != .expect { try note(name, value) }
    }
}
