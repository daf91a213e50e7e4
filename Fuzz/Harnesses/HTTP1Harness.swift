import Bytes
import HTTP
import HTTP1

/// HTTP/1 as both machines read it: the same however it arrives, as promised where it is accepted, and the same again when
/// it is forwarded.
///
/// The first byte of an input says which machine reads the rest (`0`: the server's, `1`: the client's), adds 2 for tight
/// limits, and 4, 8 or 12 for the answer to another request than a `GET`.
final class HTTP1Harness: Harness {
    static let roomy = HeadLimits(bytes: 16 << 10, count: 1000)
    private static let tight = HeadLimits(bytes: 64, count: 4)
    private static let tightBody: UInt64 = 32

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard !input.isEmpty else { return false }
        let mode = input[0]
        let bytes = input.extracting(1..<input.count)
        let limits = mode & 2 == 0 ? Self.roomy : Self.tight
        if mode & 1 == 0 { return try acceptsRequests(bytes, limits, bodyLimit: mode & 2 == 0 ? 0 : Self.tightBody) }
        return try acceptsAnswer(bytes, to: Self.request(Int(mode >> 2 & 3)), limits)
    }

    /// What the answers answer: there is nothing in them that a client could not have sent.
    private static func request(_ choice: Int) -> HTTP1Message {
        var head = RequestHead()
        head.method.append(choice == 1 ? "HEAD" : choice == 3 ? "OPTIONS" : "GET")
        head.target.append("/")
        head.authority.append("a")
        head.acceptsTrailers = choice != 2
        if choice == 2 { head.upgrade.append("websocket") }
        return HTTP1Message(head, hasBody: false)
    }

    // MARK: Requests

    private func acceptsRequests(
        _ input: Span<UInt8>, _ limits: HeadLimits, bodyLimit: UInt64
    ) throws(Violation) -> Bool {
        let recording = try HTTP1Recording.ofServer(input, by: .max, limits: limits, bodyLimit: bodyLimit)
        for size in [1, 2 + input.count % 11] {
            let pieces = try HTTP1Recording.ofServer(input, by: size, limits: limits, bodyLimit: bodyLimit)
            try demand(pieces == recording, "requests are the same however they arrive")
        }
        for message in recording.messages {
            try checkPromises(ofRequest: message)
            try checkPromises(of: message, limits)
            try demand(bodyLimit == 0 || message.content.count <= bodyLimit, "no content passes the limit")
            if message.isWhole, !message.authority.isEmpty { try checkForwarding(ofRequest: message) }
        }
        return recording.messages.contains(where: \.isWhole)
    }

    private func checkPromises(ofRequest message: HTTP1Message) throws(Violation) {
        let method = message.method
        try demand(ByteSet.token.holdsAll(of: method.span), "a method is a token")
        try demand(!method.span.equals("CONNECT"), "there is no CONNECT")
        let isStar = message.target == [UInt8(ascii: "*")] && method.span.equals("OPTIONS")
        try demand(message.target.first == UInt8(ascii: "/") || isStar, "a target begins with a slash or is a star")
        try demand(ByteSet.visible.holdsAll(of: message.target.span), "a target can be seen")
        let mayLack = message.version == .http10 && message.authority.isEmpty
        try demand(mayLack || Authority(message.authority.span) != nil, "there is one authority")
        try demand(!message.fields.contains { $0.name.span.equals("host") }, "the host is not among the fields")
        if !message.upgrade.isEmpty {
            let isPlain = method.span.equals("GET") && message.framing == .none && message.version == .http11
            try demand(
                isPlain && ByteSet.token.holdsAll(of: message.upgrade.span), "only a plain GET changes protocols")
        }
    }

    private func checkForwarding(ofRequest message: HTTP1Message) throws(Violation) {
        let written = HTTP1Writing.bytes(ofRequest: message)
        let again = try HTTP1Recording.ofServer(written.span, by: .max, limits: Self.roomy, bodyLimit: 0)
        try demand(
            again.fault == nil && again.messages.count == 1 && again.rest == 0, "what is forwarded is one request")
        let same = again.messages[0]
        try demand(
            same.method == message.method && same.target == message.target && same.authority == message.authority,
            "a request is forwarded to the same place")
        try demand(same.upgrade == message.upgrade, "the wish for another protocol is forwarded")
        let accepts = message.acceptsTrailers && message.upgrade.isEmpty
        try demand(same.acceptsTrailers == accepts, "the wish for trailers is forwarded")
        try checkForwarding(of: message, as: same)
        let line = message.method + [0x20] + message.target + Array(" HTTP/1.1".utf8)
        let canonical = try demand(CanonicalHTTP1(written), "what is forwarded is canonical")
        try checkReading(canonical, of: same, line: line)
        try demand(HTTP1Writing.bytes(ofRequest: same) == written, "what was forwarded is forwarded as it is")
    }

    // MARK: Answers

    private func acceptsAnswer(
        _ input: Span<UInt8>, to request: HTTP1Message, _ limits: HeadLimits
    ) throws(Violation) -> Bool {
        let recording = try HTTP1Recording.ofClient(input, to: request, by: .max, limits: limits)
        for size in [1, 2 + input.count % 11] {
            let pieces = try HTTP1Recording.ofClient(input, to: request, by: size, limits: limits)
            try demand(pieces == recording, "answers are the same however they arrive")
        }
        try demand(recording.messages.count <= 1, "one request has one answer")
        for message in recording.messages {
            let isSwitch = message.status == 101
            try demand(isSwitch || (200...599).contains(message.status), "an answer is final")
            try demand(isSwitch == (recording.tunnel != nil), "only a 101 changes protocols")
            try demand(!isSwitch || message.upgrade == request.upgrade, "no other protocol is changed to")
            try demand(!isSwitch || !request.upgrade.isEmpty, "protocols change where that was asked for")
            try checkPromises(of: message, limits)
            if message.isWhole { try checkForwarding(ofAnswer: message, to: request) }
        }
        return recording.messages.contains(where: \.isWhole)
    }

    private func checkForwarding(ofAnswer message: HTTP1Message, to request: HTTP1Message) throws(Violation) {
        var plain = request
        if message.status != 101 {
            // A request cannot ask for both, and without this there would be no room for trailers.
            plain.upgrade = []
            plain.acceptsTrailers = true
        }
        let written = try demand(HTTP1Writing.bytes(ofAnswer: message, to: plain), "what answers answer is a request")
        let again = try HTTP1Recording.ofClient(written.span, to: plain, by: .max, limits: Self.roomy)
        try demand(
            again.fault == nil && again.messages.count == 1 && again.rest == 0 && again.interim == 0,
            "what is forwarded is one answer")
        let same = again.messages[0]
        try demand(same.isWhole && same.status == message.status, "an answer is forwarded with its status")
        let hasNone = request.method.span.equals("HEAD") || [101, 204, 304].contains(message.status)
        if !hasNone { try checkForwarding(of: message, as: same) }
        try demand(same.forwarded == message.forwarded, "fields are forwarded as they came")
        let canonical = try demand(
            CanonicalHTTP1(written, hasContent: !hasNone), "what is forwarded is canonical")
        try demand(canonical.content == same.content, "a second reader finds the same content")
        let answers = again.end == "idle" || again.end == "tunnel"
        try demand(answers, "an answer to HTTP/1.1 needs no close to end it")
    }

    // MARK: Both

    private func checkPromises(of message: HTTP1Message, _ limits: HeadLimits) throws(Violation) {
        try demand(message.fields.count <= limits.count, "there are no more fields than the limit")
        try demand(message.trailers.count <= limits.count, "there are no more trailers than the limit")
        for field in message.fields + message.trailers {
            try demand(ByteSet.token.holdsAll(of: field.name.span), "a name is a token")
            try demand(field.name.allSatisfy { $0 == $0.asciiLowercased }, "a name is in lower case")
            try demand(field.value.allSatisfy(\.isFieldContent), "a value holds no control character")
            let isTrimmed =
                field.value.first?.isOptionalWhiteSpace != true && field.value.last?.isOptionalWhiteSpace != true
            try demand(isTrimmed, "a value has no space around it")
        }
        for trailer in message.trailers {
            try demand(TrailerRules.allows(trailer.name.span), "a trailer may be one")
        }
        let lengths = message.fields.count { $0.name.span.equals("content-length") }
        let codings = message.fields.count { $0.name.span.equals("transfer-encoding") }
        try demand(lengths + codings <= 1, "a message is framed once")
        switch message.framing {
        case .none: try demand(message.content.isEmpty && codings == 0, "no content means none")
        case .length(let count):
            try demand(lengths == 1 && count > 0, "a length was declared")
            let isSuppressed = message.content.isEmpty && message.status != 0
            try demand(
                !message.isWhole || isSuppressed || UInt64(message.content.count) == count, "content has its length")
        case .streamed: try demand(codings == 1, "chunks were declared")
        case .untilClose:
            try demand(lengths + codings == 0 && message.status != 0, "only answers end with the connection")
        }
        try demand(message.trailers.isEmpty || message.framing == .streamed, "only chunks have trailers")
    }

    private func checkForwarding(
        of message: HTTP1Message, as same: HTTP1Message
    ) throws(Violation) {
        try demand(same.isWhole && same.content == message.content, "content is forwarded as it came")
        try demand(same.forwarded == message.forwarded, "fields are forwarded as they came")
        try demand(same.trailers == message.trailers, "trailers are forwarded as they came")
        let isClosed = message.framing == .untilClose
        try demand(same.framing == (isClosed ? .streamed : message.framing), "framing is forwarded as it came")
    }

    private func checkReading(
        _ canonical: CanonicalHTTP1, of message: HTTP1Message, line: [UInt8]
    ) throws(Violation) {
        try demand(canonical.startLine == line, "a second reader finds the same first line")
        try demand(canonical.content == message.content, "a second reader finds the same content")
        try demand(canonical.trailers == message.trailers, "a second reader finds the same trailers")
        let others = canonical.fields.filter { !$0.name.span.equals("host") }
        try demand(others == message.fields, "a second reader finds the same fields")
        let hosts = canonical.fields.filter { $0.name.span.equals("host") }
        try demand(hosts.map(\.value) == [message.authority], "a second reader finds the same host")
    }
}
