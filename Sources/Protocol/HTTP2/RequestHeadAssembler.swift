import Bytes
import HTTP

/// Makes a request head of the field lines of one field block (RFC 9113 §8.3), or finds what is wrong with them.
///
/// A connection needs one only, because blocks never interleave (RFC 9113 §4.3). Lines go into ``head`` as they come; the
/// first fault wins, and nothing is stored after it. The library has checked characters and more before; the rules of a
/// request are checked here all the same, so that this file alone says what a request is.
struct RequestHeadAssembler: ~Copyable {
    private enum Section { case request, trailers }

    private let limits: HeadLimits
    private let bodyLimit: UInt64
    private var section = Section.request
    /// What the lines so far say; whole once ``finishRequest(endsStream:)`` found no fault, and then to be taken.
    var head = RequestHead()
    private(set) var fault: MessageFault?
    private var bytes = 0
    private var lines = 0
    private var sawRegularField = false
    private var hasMethod = false
    private var hasTarget = false
    private var hasAuthority = false
    private var schemeIsHTTP: Bool?
    private var hasHost = false
    private var hasCookie = false
    private var contentLength: UInt64?
    private var host = ByteQueue()
    private var cookie = ByteQueue()

    init(limits: HeadLimits, bodyLimit: UInt64) {
        self.limits = limits
        self.bodyLimit = bodyLimit
    }

    /// Begins the block that opens a stream.
    mutating func beginRequest() {
        begin(.request)
        head.removeAll()
        sawRegularField = false
        hasMethod = false
        hasTarget = false
        hasAuthority = false
        schemeIsHTTP = nil
        hasHost = false
        hasCookie = false
        contentLength = nil
        host.removeAll()
        cookie.removeAll()
    }

    /// Begins the block after the content: checked and dropped.
    mutating func beginTrailers() {
        begin(.trailers)
    }

    private mutating func begin(_ section: Section) {
        self.section = section
        fault = nil
        bytes = 0
        lines = 0
    }

    /// Whether the block is so far over the limit that reading it to its end is not worth an answer.
    ///
    /// A few compressed bytes can stand for thousands (RFC 7541 §7.3).
    var isHopeless: Bool { bytes / 4 > limits.bytes }

    /// Takes one field line.
    mutating func add(name: Span<UInt8>, value: Span<UInt8>) {
        bytes += name.count + value.count + 32
        guard fault == nil else { return }
        guard bytes <= limits.bytes else {
            fault = name.equals(":path") && value.count > limits.bytes ? .targetTooLong : .fieldsTooLarge
            return
        }
        let isPseudo = !name.isEmpty && name[0] == UInt8(ascii: ":")
        guard isPseudo else { return addRegular(name: name, value: value) }
        guard section == .request, !sawRegularField else { return fail(.pseudoField) }
        addPseudo(name: name, value: value)
    }

    /// Takes note of a line that the library found malformed and left out.
    mutating func addMalformed(name: Span<UInt8>, valueCount: Int, nameIsValid: Bool) {
        bytes += name.count + valueCount + 32
        fail(!nameIsValid ? .fieldName : name.equals("host") ? .host : .fieldValue)
    }

    private mutating func fail(_ fault: MessageFault) {
        if self.fault == nil { self.fault = section == .trailers ? .trailer : fault }
    }

    private mutating func addPseudo(name: Span<UInt8>, value: Span<UInt8>) {
        if name.equals(":method"), !hasMethod {
            hasMethod = true
            head.method.append(value)
        } else if name.equals(":path"), !hasTarget {
            hasTarget = true
            head.target.append(value)
        } else if name.equals(":authority"), !hasAuthority {
            hasAuthority = true
            head.authority.append(value)
        } else if name.equals(":scheme"), schemeIsHTTP == nil {
            head.namesPlainHTTP = value.equals("http")
            schemeIsHTTP = head.namesPlainHTTP || value.equals("https")
        } else {
            fail(.pseudoField)
        }
    }

    private mutating func addRegular(name: Span<UInt8>, value: Span<UInt8>) {
        sawRegularField = true
        let known = FieldName(lowercased: name)
        // What a client cut into crumbs is one line again when it is joined.
        if known != .cookie || !hasCookie { lines += 1 }
        guard lines <= limits.count else {
            fault = .tooManyFields
            return
        }
        guard section == .request else { return checkTrailer(known) }
        switch known {
        case .connection, .keepAlive, .proxyConnection, .upgrade: fail(.fieldName)
        case .transferEncoding: fail(.transferEncoding)
        case .host: addHost(value)
        case .cookie: addCookie(value)
        case .contentLength: addContentLength(value)
        case .te where !value.equalsIgnoringCase("trailers"): fail(.fieldValue)
        case .expect where !value.equalsIgnoringCase("100-continue"): fail(.expectation)
        case .expect:
            head.expectsContinue = true
            head.fields.append(known, value: value)
        case .other: head.fields.append(name: name, value: value)
        default: head.fields.append(known, value: value)
        }
    }

    // RFC 9110 §6.5.1: framing, routing and connection fields mean nothing after the content.
    private mutating func checkTrailer(_ known: FieldName) {
        switch known {
        case .connection, .contentLength, .host, .keepAlive, .proxyConnection, .te, .trailer, .transferEncoding,
            .upgrade:
            fail(.trailer)
        default: break
        }
    }

    private mutating func addHost(_ value: Span<UInt8>) {
        guard !hasHost else { return fail(.host) }
        hasHost = true
        host.append(value)
    }

    private mutating func addCookie(_ value: Span<UInt8>) {
        if hasCookie { cookie.append("; ") }
        hasCookie = true
        cookie.append(value)
    }

    private mutating func addContentLength(_ value: Span<UInt8>) {
        guard contentLength == nil, let length = Self.decimal(value) else { return fail(.contentLength) }
        contentLength = length
        head.fields.append(.contentLength, value: value)
    }

    // 1*DIGIT and nothing else (RFC 9110 §8.6).
    private static func decimal(_ digits: Span<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for index in digits.indices {
            guard digits[index] >= UInt8(ascii: "0"), digits[index] <= UInt8(ascii: "9") else { return nil }
            let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digits[index] - UInt8(ascii: "0")))
            guard !overflow, !carry, sum <= UInt64(Int64.max) else { return nil }
            number = sum
        }
        return number
    }

    /// Ends the block that opens a stream: the head is whole, or the fault says why there is none.
    ///
    /// - Parameter endsStream: whether END_STREAM came with the block: there is no content.
    mutating func finishRequest(endsStream: Bool) -> MessageFault? {
        if let fault = faultOfPseudoFields() { fail(fault) }
        if !hasAuthority { swap(&head.authority, &host) }
        if let fault = faultOfAuthority() { fail(fault) }
        setFraming(endsStream: endsStream)
        if hasCookie, fault == nil { Self.appendCookie(cookie, to: &head.fields) }
        head.version = .http2
        return fault
    }

    private static func appendCookie(_ cookie: borrowing ByteQueue, to fields: inout FieldTable) {
        fields.append(.cookie, value: cookie.readable)
    }

    private func faultOfPseudoFields() -> MessageFault? {
        let method = head.method.readable
        guard !method.equals("CONNECT") else { return .connect }
        guard hasMethod, hasTarget, schemeIsHTTP == true else { return .pseudoField }
        guard ByteSet.token.holdsAll(of: method) else { return .method }
        let target = head.target.readable
        guard !target.isEmpty else { return .target }
        return target[0] == UInt8(ascii: "/") || target.equals("*") && method.equals("OPTIONS") ? nil : .target
    }

    // One authority, and the two ways to say it agree: else routing and the upstream could see different hosts.
    private func faultOfAuthority() -> MessageFault? {
        let authority = head.authority.readable
        guard Authority(authority) != nil else { return .authority }
        return hasAuthority && hasHost && !Authority.agree(authority, host.readable) ? .authority : nil
    }

    private mutating func setFraming(endsStream: Bool) {
        if endsStream {
            head.framing = .none
            if let contentLength, contentLength > 0 { fail(.contentLength) }
        } else if let contentLength {
            head.framing = contentLength == 0 ? .none : .length(contentLength)
            if bodyLimit > 0, contentLength > bodyLimit { fail(.contentTooLarge) }
        } else {
            head.framing = .streamed
        }
    }

    /// Ends the block after the content; the fault says why it is refused.
    mutating func finishTrailers(endsStream: Bool) -> MessageFault? {
        if !endsStream { fail(.trailer) }
        return fault
    }

    /// Gives the memory of earlier blocks back; not within a block.
    mutating func releaseMemory() {
        head = RequestHead()
        host.releaseStorage()
        cookie.releaseStorage()
    }
}
