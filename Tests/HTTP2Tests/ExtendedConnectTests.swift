import Bytes
import HTTP
import HTTP2
import Testing

@Suite("HTTP2ServerConnection: extended CONNECT (RFC 8441)")
struct ExtendedConnectTests {
    private func tunnel(
        _ stream: Int32, _ fields: [(String, String)] = [], method: String = "CONNECT",
        protocol token: String? = "WebSocket",
        end: Bool = false
    ) -> [UInt8] {
        let pseudo = Frames.head(method, "/chat") + (token.map { [(":protocol", $0)] } ?? [])
        return Frames.headers(stream, pseudo + fields, end: end)
    }

    private func peer(bodyLimit: UInt64 = 0) throws -> Peer {
        try Peer(HTTP2Limits(bodyLimit: bodyLimit, extendedConnect: true))
    }

    @Test("It is announced where it is allowed only", arguments: [true, false])
    func announcement(_ isAllowed: Bool) throws {
        let peer = try Peer(HTTP2Limits(extendedConnect: isAllowed), greets: false)
        let settings = peer.receive()[0].payload
        let entries = stride(from: 0, to: settings.count, by: 6).map { Array(settings[$0..<$0 + 6]) }
        #expect(entries.contains([0, 8, 0, 0, 0, 1]) == isAllowed)
    }

    @Test("A tunnel carries bytes both ways, over no limit of content, and ends on either side")
    func bytes() throws {
        let peer = try peer(bodyLimit: 2)
        try peer.send(tunnel(1, [("sec-websocket-version", "13")]))
        #expect(peer.events() == [.request(stream: 1, hasBody: true)])
        let head = try #require(peer.takeHead(of: 1))
        #expect(head.method == "CONNECT")
        #expect(head.upgrade == "websocket")
        #expect(head.target == "/chat")
        #expect(head.authority == "gate.test")
        #expect(head.framing == .streamed)
        var answer = ResponseHead()
        answer.status = 200
        peer.connection.sendHead(answer, on: 1, endStream: false)
        #expect(peer.receive()[0].fields == [":status: 200"])
        try peer.send(Frames.data(1, [1, 2, 3, 4]))
        #expect(peer.takeBody(of: 1) == [1, 2, 3, 4])
        peer.connection.sendBody([5, 6].span, on: 1)
        #expect(peer.receive().map(\.payload).contains([5, 6]))
        try peer.send(Frames.data(1, [], end: true))
        #expect(peer.events() == [.body(stream: 1), .endOfBody(stream: 1)])
        peer.connection.endBody(on: 1, trailers: table(of: [("x", "y")]))
        #expect(peer.receive().map(\.type) == [0x0], "a tunnel has no trailers")
        #expect(peer.events() == [.completed(stream: 1)])
    }

    @Test("A refusal has its content and length as ever")
    func refusal() throws {
        let peer = try peer()
        try peer.send(tunnel(1))
        peer.answer(1, status: 403, framing: .length(2), content: [1, 2])
        #expect(peer.receive()[0].fields == [":status: 403", "content-length: 2"])
    }

    @Test("Fields in a tunnel end it")
    func trailers() throws {
        let peer = try peer()
        try peer.send(tunnel(1))
        var answer = ResponseHead()
        answer.status = 200
        peer.connection.sendHead(answer, on: 1, endStream: false)
        _ = peer.receive()
        try peer.send(Frames.headers(1, [("x", "y")]))
        let reset = try #require(peer.receive().last)
        #expect(reset.type == 0x3)
        #expect(reset.code == HTTP2ErrorCode.protocolError.rawValue)
        #expect(peer.events().last == .reset(stream: 1))
    }

    @Test("Only CONNECT comes with a protocol, which is a token, and it begins something")
    func malformed() throws {
        let cases: [([UInt8], MessageFault?)] = [
            (tunnel(1), nil),
            (tunnel(1, method: "GET"), .pseudoField),
            (tunnel(1, protocol: "web socket"), .pseudoField),
            (tunnel(1, protocol: ""), .fieldLine),
            (tunnel(1, protocol: nil), .connect),
            (tunnel(1, end: true), .connect),
            (tunnel(1, [("content-length", "1")]), .contentLength),
            (Frames.headers(1, [(":method", "CONNECT"), (":authority", "a:1")], end: false), .connect),
            (
                Frames.headers(
                    1, [(":method", "CONNECT"), (":authority", "a:1"), (":protocol", "websocket")], end: false),
                .pseudoField
            ),
        ]
        for (bytes, fault) in cases {
            let peer = try peer()
            try peer.send(bytes)
            let expected = fault.map { HTTP2ServerConnection.Event.refused(stream: 1, $0) }
            #expect(peer.events().first == expected ?? .request(stream: 1, hasBody: true), "\(bytes.count)")
        }
    }

    @Test("Where it is not allowed it is refused")
    func notAllowed() throws {
        let peer = try Peer()
        try peer.send(tunnel(1))
        let event = try #require(peer.events().first)
        #expect(event == .refused(stream: 1, .fieldLine))
    }
}
