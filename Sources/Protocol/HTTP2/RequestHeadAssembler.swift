import Bytes
import HTTP

/// Makes a request head of the field lines of one field block (RFC 9113 §8.3), or finds what is wrong with them.
///
/// A connection needs one only, because blocks never interleave (RFC 9113 §4.3). Lines go into ``head`` as they come; the
/// first fault wins, and nothing is stored after it. The library has checked characters and more before; the rules of a
/// request are checked here all the same, so that this file alone says what a request is.
struct RequestHeadAssembler: ~Copyable {
    private let bodyLimit: UInt64
    private let allowsTunnels: Bool
    private var section: FieldSection
    /// What the lines so far say; whole once ``finish(endsStream:)`` found no fault, and then to be taken.
    var head = RequestHead()
    private var sawRegularField = false
    private var hasMethod = false
    private var hasTarget = false
    private var hasAuthority = false
    private var hasProtocol = false
    private var schemeIsHTTP: Bool?
    private var hasHost = false
    private var hasCookie = false
    private var contentLength: UInt64?
    private var host = ByteQueue()
    private var cookie = ByteQueue()

    /// Makes an assembler; `allowsTunnels`: the extended CONNECT of RFC 8441 was offered.
    init(limits: HeadLimits, bodyLimit: UInt64, allowsTunnels: Bool) {
        section = FieldSection(limits: limits)
        self.bodyLimit = bodyLimit
        self.allowsTunnels = allowsTunnels
    }

    var fault: MessageFault? { section.fault }

    /// Whether the block is too far over the limit to be read to its end.
    var isHopeless: Bool { section.isHopeless }

    /// Begins another block.
    mutating func begin() {
        section.begin()
        head.removeAll()
        sawRegularField = false
        hasMethod = false
        hasTarget = false
        hasAuthority = false
        hasProtocol = false
        schemeIsHTTP = nil
        hasHost = false
        hasCookie = false
        contentLength = nil
        host.removeAll()
        cookie.removeAll()
    }

    /// Takes one field line.
    mutating func add(name: Span<UInt8>, value: Span<UInt8>) {
        guard section.admits(name: name, value: value) else { return }
        let isPseudo = !name.isEmpty && name[0] == UInt8(ascii: ":")
        guard isPseudo else { return addRegular(name: name, value: value) }
        guard !sawRegularField else { return section.fail(.pseudoField) }
        addPseudo(name: name, value: value)
    }

    /// Takes note of a line that the library found malformed and left out.
    mutating func addMalformed(name: Span<UInt8>, valueCount: Int, nameIsValid: Bool) {
        section.measure(name: name, valueCount: valueCount)
        section.fail(FieldSection.fault(ofMalformed: name, nameIsValid: nameIsValid))
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
        } else if name.equals(":protocol"), allowsTunnels, !hasProtocol {
            hasProtocol = true
            addProtocol(value)
        } else {
            section.fail(.pseudoField)
        }
    }

    private mutating func addProtocol(_ value: Span<UInt8>) {
        guard ByteSet.token.holdsAll(of: value) else { return section.fail(.pseudoField) }
        for index in value.indices { head.upgrade.append(value[index].asciiLowercased) }
    }

    private mutating func addRegular(name: Span<UInt8>, value: Span<UInt8>) {
        sawRegularField = true
        let known = FieldName(lowercased: name)
        // What a client cut into crumbs is one line again when it is joined.
        guard known == .cookie && hasCookie || section.countsLine() else { return }
        switch known {
        case .connection, .keepAlive, .proxyConnection, .upgrade: section.fail(.fieldName)
        case .transferEncoding: section.fail(.transferEncoding)
        case .host: addHost(value)
        case .cookie: addCookie(value)
        case .contentLength: addContentLength(value)
        case .te where !value.equalsIgnoringCase("trailers"): section.fail(.fieldValue)
        case .te:
            head.acceptsTrailers = true
            head.fields.append(known, value: value)
        case .expect where !value.equalsIgnoringCase("100-continue"): section.fail(.expectation)
        case .expect:
            head.expectsContinue = true
            head.fields.append(known, value: value)
        case .other: head.fields.append(name: name, value: value)
        default: head.fields.append(known, value: value)
        }
    }

    private mutating func addHost(_ value: Span<UInt8>) {
        guard !hasHost else { return section.fail(.host) }
        hasHost = true
        host.append(value)
    }

    private mutating func addCookie(_ value: Span<UInt8>) {
        if hasCookie { cookie.append("; ") }
        hasCookie = true
        cookie.append(value)
    }

    private mutating func addContentLength(_ value: Span<UInt8>) {
        guard contentLength == nil, let length = FieldSection.decimal(value) else {
            return section.fail(.contentLength)
        }
        contentLength = length
        head.fields.append(.contentLength, value: value)
    }

    /// Ends the block that opens a stream: the head is whole, or the fault says why there is none.
    ///
    /// - Parameter endsStream: whether END_STREAM came with the block: there is no content.
    mutating func finish(endsStream: Bool) -> MessageFault? {
        if let fault = faultOfPseudoFields() { section.fail(fault) }
        if !hasAuthority { swap(&head.authority, &host) }
        if let fault = faultOfAuthority() { section.fail(fault) }
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
        // The method of a tunnel, and nothing else, comes with a protocol (RFC 8441 §4).
        if method.equals("CONNECT") ? !hasProtocol : hasProtocol {
            return hasProtocol ? .pseudoField : .connect
        }
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
        if hasProtocol {
            // What follows is no content, so that it has no length, and without it there is nothing to ask for.
            head.framing = .streamed
            if endsStream { section.fail(.connect) }
            if contentLength != nil { section.fail(.contentLength) }
        } else if endsStream {
            head.framing = .none
            if let contentLength, contentLength > 0 { section.fail(.contentLength) }
        } else if let contentLength {
            head.framing = contentLength == 0 ? .none : .length(contentLength)
            if bodyLimit > 0, contentLength > bodyLimit { section.fail(.contentTooLarge) }
        } else {
            head.framing = .streamed
        }
    }

    /// Gives the memory of earlier blocks back; not within a block.
    mutating func releaseMemory() {
        head = RequestHead()
        host.releaseStorage()
        cookie.releaseStorage()
    }
}
