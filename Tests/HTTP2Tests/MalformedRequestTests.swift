import Bytes
import HTTP
import HTTP2
import Testing

/// One field block and what must become of it.
struct RequestCase: CustomTestStringConvertible, Sendable {
    var name: String
    var fields: [(String, String)]
    /// Nothing: it is a request.
    var fault: MessageFault?
    /// Whether the driver can still answer; else the library resets the stream.
    var isAnswerable = true
    var ends = true

    var testDescription: String { name }

    /// A request whose pseudo-fields are the usual ones but for those given; nothing: left out.
    init(
        _ name: String, method: String? = "GET", scheme: String? = "https", authority: String? = "gate.test",
        path: String? = "/", _ fields: [(String, String)] = [], fault: MessageFault? = nil, isAnswerable: Bool = true,
        ends: Bool = true
    ) {
        self.name = name
        self.fields = []
        if let method { self.fields.append((":method", method)) }
        if let scheme { self.fields.append((":scheme", scheme)) }
        if let authority { self.fields.append((":authority", authority)) }
        if let path { self.fields.append((":path", path)) }
        self.fields += fields
        self.fault = fault
        self.isAnswerable = isAnswerable
        self.ends = ends
    }

    init(_ name: String, lines: [(String, String)], fault: MessageFault? = nil, isAnswerable: Bool = true) {
        self.init(name, fault: fault, isAnswerable: isAnswerable)
        fields = lines
    }
}

@Suite("HTTP2ServerConnection: requests that are refused, and their twins that are not")
struct MalformedRequestTests {
    static let pseudoFields: [RequestCase] = [
        RequestCase("the usual ones"),
        RequestCase("no :method", method: nil, fault: .pseudoField, isAnswerable: false),
        RequestCase("no :scheme", scheme: nil, fault: .pseudoField, isAnswerable: false),
        RequestCase("no :path", path: nil, fault: .pseudoField, isAnswerable: false),
        RequestCase("no :authority, no host", authority: nil, fault: .authority, isAnswerable: false),
        RequestCase("host instead of :authority", authority: nil, [("host", "gate.test")]),
        RequestCase("empty :authority", authority: "", fault: .fieldLine, isAnswerable: false),
        RequestCase("empty host alone", authority: nil, [("host", "")], fault: .fieldLine, isAnswerable: false),
        RequestCase("host agrees", [("host", "gate.test")]),
        RequestCase("host agrees but for case", [("host", "Gate.TEST")]),
        RequestCase("host differs", [("host", "gate.tess")], fault: .authority),
        RequestCase("host has a port more", [("host", "gate.test:443")], fault: .authority),
        RequestCase(
            "two hosts", [("host", "gate.test"), ("host", "gate.test")], fault: .fieldLine, isAnswerable: false),
        RequestCase("host with a space", [("host", "gate test")], fault: .host),
        RequestCase("user information", authority: "u@gate.test", fault: .authority),
        RequestCase("scheme http", scheme: "http"),
        RequestCase("scheme ftp", scheme: "ftp", fault: .pseudoField),
        RequestCase("scheme HTTPS", scheme: "HTTPS", fault: .pseudoField),
        RequestCase("* for OPTIONS", method: "OPTIONS", path: "*"),
        RequestCase("* for GET", path: "*", fault: .target, isAnswerable: false),
        RequestCase("path without a slash", path: "a", fault: .target, isAnswerable: false),
        RequestCase("empty path", path: "", fault: .fieldLine, isAnswerable: false),
        RequestCase("path in absolute form", path: "https://gate.test/", fault: .target, isAnswerable: false),
        RequestCase("path with a space", path: "/a b", fault: .fieldLine, isAnswerable: false),
        RequestCase("method with a space", method: "GE T", fault: .fieldLine, isAnswerable: false),
        RequestCase("method in lower case", method: "get"),
        RequestCase("empty method", method: "", fault: .fieldLine, isAnswerable: false),
        RequestCase("two :path", [(":path", "/")], fault: .fieldLine, isAnswerable: false),
        RequestCase("unknown pseudo-field", [(":status", "200")], fault: .fieldLine, isAnswerable: false),
        RequestCase(
            "pseudo-field after a field",
            lines: [(":method", "GET"), (":scheme", "https"), (":authority", "gate.test"), ("a", "b"), (":path", "/")],
            fault: .fieldLine, isAnswerable: false),
        RequestCase(
            "CONNECT", lines: [(":method", "CONNECT"), (":authority", "gate.test:443")], fault: .connect),
        RequestCase("CONNECT with a path", method: "CONNECT", fault: .connect, isAnswerable: false),
        RequestCase(
            "extended CONNECT", method: "CONNECT", [(":protocol", "websocket")], fault: .fieldLine, isAnswerable: false),
    ]

    static let fields: [RequestCase] = [
        RequestCase("lower-case name", [("x-name", "1")]),
        RequestCase("upper-case name", [("X-name", "1")], fault: .fieldLine, isAnswerable: false),
        RequestCase("empty name", [("", "1")], fault: .fieldName),
        RequestCase("name with a space", [("x name", "1")], fault: .fieldName),
        RequestCase("name with a colon", [("x:name", "1")], fault: .fieldName),
        RequestCase("name with a control character", [("x\u{1}", "1")], fault: .fieldName),
        RequestCase("empty value", [("x", "")]),
        RequestCase("value with a tab", [("x", "a\tb")]),
        RequestCase("value with bytes above ASCII", [("x", "ä")]),
        RequestCase("value with NUL", [("x", "a\0b")], fault: .fieldValue),
        RequestCase("value with CR", [("x", "a\rb")], fault: .fieldValue),
        RequestCase("value with LF", [("x", "a\nb: c")], fault: .fieldValue),
        RequestCase("value with DEL", [("x", "a\u{7f}")], fault: .fieldValue),
        RequestCase("value with a leading space", [("x", " a")], fault: .fieldValue),
        RequestCase("value with a trailing tab", [("x", "a\t")], fault: .fieldValue),
        RequestCase("connection", [("connection", "close")], fault: .fieldLine, isAnswerable: false),
        RequestCase("keep-alive", [("keep-alive", "1")], fault: .fieldLine, isAnswerable: false),
        RequestCase("proxy-connection", [("proxy-connection", "x")], fault: .fieldLine, isAnswerable: false),
        RequestCase("transfer-encoding", [("transfer-encoding", "chunked")], fault: .fieldLine, isAnswerable: false),
        RequestCase("upgrade", [("upgrade", "h2c")], fault: .fieldLine, isAnswerable: false),
        RequestCase("te: trailers", [("te", "trailers")]),
        RequestCase("te: gzip", [("te", "gzip")], fault: .fieldLine, isAnswerable: false),
        RequestCase("expect: 100-continue", [("expect", "100-continue")]),
        RequestCase("expect: more", [("expect", "more")], fault: .expectation),
        RequestCase("length", [("content-length", "5")], ends: false),
        RequestCase(
            "length with a sign", [("content-length", "+5")], fault: .fieldLine, isAnswerable: false, ends: false),
        RequestCase(
            "length as a list", [("content-length", "5, 5")], fault: .fieldLine, isAnswerable: false, ends: false),
        RequestCase("empty length", [("content-length", "")], fault: .fieldLine, isAnswerable: false, ends: false),
        RequestCase(
            "two lengths", [("content-length", "5"), ("content-length", "5")], fault: .fieldLine, isAnswerable: false,
            ends: false),
        RequestCase(
            "length over 64 bits", [("content-length", "18446744073709551621")], fault: .fieldLine, isAnswerable: false,
            ends: false),
        RequestCase("length of nothing", [("content-length", "0")]),
        RequestCase("length without content", [("content-length", "5")], fault: .contentLength, isAnswerable: false),
    ]

    @Test("A request is taken, refused with a chance to answer, or reset", arguments: pseudoFields + fields)
    func judged(_ request: RequestCase) throws {
        let peer = try Peer()
        try peer.send(Frames.headers(1, request.fields, end: request.ends))
        guard let fault = request.fault else {
            #expect(peer.events() == [.request(stream: 1, hasBody: !request.ends)])
            #expect(peer.takeHead(of: 1) != nil)
            return
        }
        #expect(peer.events() == [.refused(stream: 1, fault)])
        #expect(peer.takeHead(of: 1) == nil)
        #expect(peer.connection.canAnswer(1) == request.isAnswerable)
        peer.answer(1, status: 400)
        let frames = peer.receive()
        if request.isAnswerable {
            #expect(frames[0].fields == [":status: 400", "content-length: 0"])
            #expect(peer.events() == [.completed(stream: 1)])
        } else {
            #expect(frames.map(\.type) == [0x3])
            #expect(frames[0].code == HTTP2ErrorCode.protocolError.rawValue)
            #expect(peer.events() == [.reset(stream: 1)])
        }
        // The connection goes on, and its compression state is whole.
        try peer.send(Frames.request(3))
        #expect(peer.events() == [.request(stream: 3, hasBody: false)])
        #expect(peer.connection.openStreams == 1)
    }

    static let lengths: [(String, [String], Bool)] = [
        ("5", ["hello"], true), ("5", ["he", "llo"], true), ("5", ["hell"], false), ("5", ["hello!"], false),
        ("5", ["hello", "!"], false), ("0", [""], true), ("0", ["!"], false),
    ]

    @Test("Content must be as long as was declared", arguments: lengths)
    func declaredLength(_ length: String, _ content: [String], _ isAccepted: Bool) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", "/", [("content-length", length)], end: false))
        for piece in content.dropLast() { try peer.send(Frames.data(1, Array(piece.utf8))) }
        try peer.send(Frames.data(1, Array(content.last.map { Array($0.utf8) } ?? []), end: true))
        let frames = peer.receive()
        let events = peer.events()
        #expect(frames.contains { $0.type == 0x3 } == !isAccepted)
        #expect(events.contains(.reset(stream: 1)) == !isAccepted)
        #expect(events.contains(.endOfBody(stream: 1)) == (isAccepted && length != "0"))
    }

    static let trailers: [([(String, String)], Bool, MessageFault?)] = [
        ([("x-sum", "1")], true, nil),
        ([("x-sum", "1")], false, .trailer),
        ([("x sum", "1")], true, .trailer),
        ([("x-sum", "1\n2")], true, .trailer),
        ([("content-length", "1")], true, .trailer),
        ([("host", "gate.test")], true, .trailer),
        ([("transfer-encoding", "chunked")], true, .trailer),
        ([(":path", "/")], true, .trailer),
        ([("X-Sum", "1")], true, .trailer),
        ((0..<11).map { ("x-\($0)", "1") }, true, .tooManyFields),
        ([("x-sum", String(repeating: "s", count: 2000))], true, .fieldsTooLarge),
    ]

    @Test("Trailers are judged like fields", arguments: trailers)
    func judgedTrailers(_ fields: [(String, String)], _ ends: Bool, _ fault: MessageFault?) throws {
        let peer = try Peer(HTTP2Limits(head: HeadLimits(bytes: 2000, count: 10)))
        try peer.send(Frames.request(1, "POST", end: false) + Frames.data(1, [1]))
        _ = peer.events()
        try peer.send(Frames.headers(1, fields, end: ends))
        let events = peer.events()
        #expect(events.first == (fault.map { .refused(stream: 1, $0) } ?? .endOfBody(stream: 1)))
        #expect(events.count == 1)
    }

    @Test("The bytes of a head are bounded, by the measure that we announce", arguments: [(0, true), (1, false)])
    func headBytes(_ excess: Int, _ isAccepted: Bool) throws {
        let peer = try Peer(HTTP2Limits(head: HeadLimits(bytes: 1000, count: 100)))
        let used = (Frames.head() + [("x", "")]).reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }
        let value = String(repeating: "v", count: 1000 - used + excess)
        try peer.send(Frames.request(1, "GET", "/", [("x", value)]))
        let expected: HTTP2ServerConnection.Event =
            isAccepted ? .request(stream: 1, hasBody: false) : .refused(stream: 1, .fieldsTooLarge)
        #expect(peer.events() == [expected])
        peer.answer(1, status: 431)
        #expect(peer.receive().first?.fields.first == ":status: 431")
    }

    @Test("The lines of a head are bounded; crumbs of a cookie are one line", arguments: [(10, true), (11, false)])
    func headLines(_ count: Int, _ isAccepted: Bool) throws {
        let peer = try Peer(HTTP2Limits(head: HeadLimits(bytes: 32 << 10, count: 10)))
        let lines = (1..<count).map { ("x-\($0)", "1") } + (0..<20).map { ("cookie", "c\($0)") }
        try peer.send(Frames.request(1, "GET", "/", lines))
        let expected: HTTP2ServerConnection.Event =
            isAccepted ? .request(stream: 1, hasBody: false) : .refused(stream: 1, .tooManyFields)
        #expect(peer.events() == [expected])
    }

    /// A block whose first line fills the compression table, and whose every further byte stands for that line.
    private func bomb(value: String, _ count: Int) -> [UInt8] {
        var block = Frames.block(Frames.head())
        block += [0x40] + Frames.block([("x", value)]).dropFirst()
        return block + [UInt8](repeating: 0xbe, count: count)
    }

    static let bombs: [(String, Int, MessageFault, Bool)] = [
        (String(repeating: "v", count: 3000), 15, .fieldsTooLarge, true),
        (String(repeating: "v", count: 3000), 10_000, .fieldsTooLarge, false),
        (String(repeating: "v", count: 2999) + "\0", 10_000, .fieldValue, false),
    ]

    @Test("A compression bomb is answered while it is small, and not read when it is big", arguments: bombs)
    func compressionBomb(_ value: String, _ count: Int, _ fault: MessageFault, _ isAnswerable: Bool) throws {
        let peer = try Peer()
        try peer.send(Frames.raw(0x1, flags: 0x5, stream: 1, bomb(value: value, count)))
        #expect(peer.events() == [.refused(stream: 1, fault)])
        #expect(peer.connection.canAnswer(1) == isAnswerable)
        peer.answer(1, status: 431)
        let frames = peer.receive()
        #expect(frames.map(\.type) == [isAnswerable ? 0x1 : 0x3])
        if !isAnswerable { #expect(frames[0].code == HTTP2ErrorCode.enhanceYourCalm.rawValue) }
        #expect(peer.events() == [isAnswerable ? .completed(stream: 1) : .reset(stream: 1)])
        // The compression state went on with the block.
        try peer.send(Frames.raw(0x1, flags: 0x5, stream: 3, Frames.block(Frames.head()) + [0xbe]))
        #expect(
            peer.events().first
                == (fault == .fieldValue ? .refused(stream: 3, fault) : .request(stream: 3, hasBody: false)))
    }

    @Test("A target over the limit is told apart")
    func targetBytes() throws {
        let peer = try Peer(HTTP2Limits(head: HeadLimits(bytes: 1000, count: 10)))
        try peer.send(Frames.request(1, "GET", "/" + String(repeating: "p", count: 1000)))
        #expect(peer.events() == [.refused(stream: 1, .targetTooLong)])
    }

    @Test("Content that is declared over the limit is refused before it comes", arguments: [(100, true), (101, false)])
    func declaredBody(_ count: Int, _ isAccepted: Bool) throws {
        let peer = try Peer(HTTP2Limits(bodyLimit: 100))
        try peer.send(Frames.request(1, "POST", "/", [("content-length", "\(count)")], end: false))
        let expected: HTTP2ServerConnection.Event =
            isAccepted ? .request(stream: 1, hasBody: true) : .refused(stream: 1, .contentTooLarge)
        #expect(peer.events() == [expected])
    }

    @Test("Content that grows over the limit is refused as it does, and the client is told to stop")
    func streamedBody() throws {
        let peer = try Peer(HTTP2Limits(bodyLimit: 100))
        try peer.send(Frames.request(1, "POST", end: false) + Frames.data(1, [UInt8](repeating: 1, count: 100)))
        #expect(peer.events() == [.request(stream: 1, hasBody: true), .body(stream: 1)])
        try peer.send(Frames.data(1, [1]) + Frames.data(1, [1], end: false))
        #expect(peer.events() == [.refused(stream: 1, .contentTooLarge)])
        #expect(peer.connection.bufferedBody(of: 1) == 0)
        peer.answer(1, status: 413)
        #expect(peer.receive().map(\.type) == [0x1, 0x3])
        #expect(peer.events() == [.completed(stream: 1)])
    }

    @Test("Content of a refused request is dropped, and its room given back")
    func refusedContent() throws {
        let peer = try Peer(HTTP2Limits(streamWindow: 65_535, connectionWindow: 65_535))
        try peer.send(Frames.request(1, "POST", "/", [("expect", "x")], end: false))
        for _ in 0..<10 {
            try peer.send(Frames.data(1, [UInt8](repeating: 1, count: 16_000)))
            _ = peer.receive()
        }
        try peer.send(Frames.data(1, [], end: true))
        #expect(peer.events() == [.refused(stream: 1, .expectation)])
        #expect(peer.connection.failure == nil)
    }

    @Test("What is not HTTP/2 is no connection")
    func notHTTP2() throws {
        let peer = try Peer(greets: false)
        #expect(throws: HTTP2Error.badPreface) {
            try peer.send(Array("GET / HTTP/1.1\r\nHost: gate.test\r\n\r\n".utf8))
        }
        #expect(throws: HTTP2Error.badPreface) { try peer.send(Frames.preface) }
        #expect(peer.receive().last?.code == HTTP2ErrorCode.protocolError.rawValue)
        #expect(peer.connection.isFinished)
    }

    static let connectionErrors: [(String, [UInt8], HTTP2ErrorCode)] = [
        ("DATA on no stream", Frames.data(0, [1]), .protocolError),
        ("DATA on an idle stream", Frames.data(5, [1]), .protocolError),
        ("HEADERS on a stream of ours", Frames.request(2), .protocolError),
        ("a lone CONTINUATION", Frames.continuation(1, [], end: true), .protocolError),
        ("a block interrupted", Frames.raw(0x1, stream: 1, []) + Frames.ping, .protocolError),
        ("a frame over the size", Frames.raw(0x0, stream: 1, [UInt8](repeating: 0, count: 16_385)), .frameSizeError),
        ("a PING of seven bytes", Frames.raw(0x6, stream: 0, [1, 2, 3, 4, 5, 6, 7]), .frameSizeError),
        ("a push by a client", Frames.raw(0x5, flags: 0x4, stream: 1, [0, 0, 0, 2]), .protocolError),
        (
            "a malformed block", Frames.raw(0x1, flags: 0x5, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff]),
            .compressionError
        ),
        ("a window over 31 bits", Frames.windowUpdate(0, 0x7fff_ffff), .flowControlError),
        ("a window of nothing", Frames.windowUpdate(0, 0), .protocolError),
        ("RST_STREAM on an idle stream", Frames.reset(9), .protocolError),
        (
            "padding over the frame", Frames.request(1, end: false) + Frames.raw(0x0, flags: 0x8, stream: 1, [9, 1]),
            .protocolError
        ),
    ]

    @Test("An error of the framing ends the connection with its code", arguments: connectionErrors)
    func endsConnection(_ name: String, _ bytes: [UInt8], _ code: HTTP2ErrorCode) throws {
        let peer = try Peer()
        try peer.send(bytes)
        let last = try #require(peer.receive().last)
        #expect(last.type == 0x7)
        #expect(last.code == code.rawValue)
        #expect(peer.connection.sentGoAway == code)
        #expect(peer.connection.isFinished)
    }
}
