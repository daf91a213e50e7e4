import Bytes
import HTTP
import Testing

@testable import HTTP2

/// The rules of a request without the library's help: what it refuses first is refused here as well.
@Suite("RequestHeadAssembler")
struct RequestHeadAssemblerTests {
    private func assemble(
        _ lines: [(String, String)], ends: Bool = false, limits: HeadLimits = HeadLimits(bytes: 4096, count: 10),
        bodyLimit: UInt64 = 0
    ) -> (MessageFault?, Head) {
        var assembler = RequestHeadAssembler(limits: limits, bodyLimit: bodyLimit, allowsTunnels: false)
        assembler.begin()
        for (name, value) in lines { assembler.add(name: name.utf8.span, value: value.utf8.span) }
        let fault = assembler.finish(endsStream: ends)
        return (fault, Head(assembler.head))
    }

    static let faults: [([(String, String)], MessageFault?)] = [
        ([], nil),
        ([("x", "y")], nil),
        ([(":path", "/b")], .pseudoField),
        ([(":method", "GET")], .pseudoField),
        ([(":scheme", "https")], .pseudoField),
        ([(":authority", "gate.test")], .pseudoField),
        ([(":protocol", "websocket")], .pseudoField),
        ([(":", "")], .pseudoField),
        ([("x", "y"), (":status", "200")], .pseudoField),
        ([("connection", "close")], .fieldName),
        ([("keep-alive", "1")], .fieldName),
        ([("proxy-connection", "x")], .fieldName),
        ([("upgrade", "h2c")], .fieldName),
        ([("transfer-encoding", "chunked")], .transferEncoding),
        ([("te", "trailers")], nil),
        ([("te", "Trailers")], nil),
        ([("te", "gzip, trailers")], .fieldValue),
        ([("expect", "100-Continue")], nil),
        ([("expect", "")], .expectation),
        ([("host", "GATE.test")], nil),
        ([("host", "gate.test"), ("host", "gate.test")], .host),
        ([("host", "other.test")], .authority),
        ([("content-length", "0")], nil),
        ([("content-length", "9223372036854775807")], nil),
        ([("content-length", "9223372036854775808")], .contentLength),
        ([("content-length", "99999999999999999999")], .contentLength),
        ([("content-length", "")], .contentLength),
        ([("content-length", "-1")], .contentLength),
        ([("content-length", " 1")], .contentLength),
        ([("content-length", "0x1")], .contentLength),
        ([("content-length", "1"), ("content-length", "1")], .contentLength),
        ([("host", "a"), ("transfer-encoding", "x")], .transferEncoding),
    ]

    @Test("Lines after the pseudo-fields", arguments: faults)
    func lines(_ lines: [(String, String)], _ fault: MessageFault?) {
        #expect(assemble(Frames.head() + lines).0 == fault)
    }

    static let heads: [([(String, String)], MessageFault?)] = [
        ([(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a")], nil),
        ([(":path", "/"), (":authority", "a"), (":scheme", "http"), (":method", "GET")], nil),
        ([(":method", "GET"), (":scheme", "https"), (":path", "/"), ("host", "a:1")], nil),
        ([(":method", "GET"), (":scheme", "https"), (":path", "/")], .authority),
        ([(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "")], .authority),
        ([(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a@b")], .authority),
        ([(":method", "GET"), (":scheme", "https"), (":path", ""), (":authority", "a")], .target),
        ([(":method", "GET"), (":scheme", "https"), (":path", "*"), (":authority", "a")], .target),
        ([(":method", "OPTIONS"), (":scheme", "https"), (":path", "*"), (":authority", "a")], nil),
        ([(":method", "OPTIONS"), (":scheme", "https"), (":path", "**"), (":authority", "a")], .target),
        ([(":method", "GET"), (":scheme", "https"), (":path", "a/"), (":authority", "a")], .target),
        ([(":method", "CONNECT"), (":scheme", "https"), (":path", "/"), (":authority", "a")], .connect),
        ([(":method", "G T"), (":scheme", "https"), (":path", "/"), (":authority", "a")], .method),
        ([(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a:0")], .authority),
        ([(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "[::1]:8443")], nil),
        ([(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "[::1")], .authority),
        ([(":method", ""), (":scheme", "https"), (":path", "/"), (":authority", "a")], .method),
        ([(":method", "GET"), (":scheme", "wss"), (":path", "/"), (":authority", "a")], .pseudoField),
        ([(":scheme", "https"), (":path", "/"), (":authority", "a")], .pseudoField),
        ([(":method", "GET"), (":path", "/"), (":authority", "a")], .pseudoField),
        ([(":method", "GET"), (":scheme", "https"), (":authority", "a")], .pseudoField),
        ([], .pseudoField),
    ]

    @Test("Pseudo-fields", arguments: heads)
    func pseudoFields(_ lines: [(String, String)], _ fault: MessageFault?) {
        #expect(assemble(lines).0 == fault)
    }

    @Test("The authority is that of :authority where both are given")
    func authority() {
        let (fault, head) = assemble(Frames.head() + [("host", "GATE.test")])
        #expect(fault == nil)
        #expect(head.authority == "gate.test")
        #expect(head.fields == [])
    }

    static let framings: [(String?, Bool, BodyFraming, MessageFault?)] = [
        (nil, true, .none, nil), (nil, false, .streamed, nil), ("0", true, .none, nil), ("0", false, .none, nil),
        ("7", false, .length(7), nil), ("7", true, .none, .contentLength), ("100", false, .length(100), nil),
        ("101", false, .length(101), .contentTooLarge),
    ]

    @Test("The framing follows the end of the stream and the declared length", arguments: framings)
    func framing(_ length: String?, _ ends: Bool, _ framing: BodyFraming, _ fault: MessageFault?) {
        let lines = Frames.head("POST") + (length.map { [("content-length", $0)] } ?? [])
        let (found, head) = assemble(lines, ends: ends, bodyLimit: 100)
        #expect(found == fault)
        #expect(head.framing == framing)
    }

    @Test("The first fault wins and nothing is stored after it")
    func firstFault() {
        let (fault, head) = assemble(Frames.head() + [("a", "1"), ("te", "x"), ("b", "2"), ("transfer-encoding", "x")])
        #expect(fault == .fieldValue)
        #expect(head.fields == ["a: 1"])
    }

    @Test("A second request finds nothing of the first")
    func reuse() {
        var assembler = RequestHeadAssembler(
            limits: HeadLimits(bytes: 400, count: 3), bodyLimit: 0, allowsTunnels: false)
        for round in 0..<20 {
            assembler.begin()
            let lines =
                Frames.head() + [("host", "gate.test"), ("cookie", "c\(round)"), ("content-length", "\(round)")]
            for (name, value) in lines { assembler.add(name: name.utf8.span, value: value.utf8.span) }
            #expect(assembler.finish(endsStream: false) == nil)
            #expect(Head(assembler.head).fields == ["content-length: \(round)", "cookie: c\(round)"])
        }
    }
}
