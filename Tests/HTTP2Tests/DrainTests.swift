import Bytes
import HTTP
import HTTP2
import Testing

@Suite("HTTP2ServerConnection: ends")
struct DrainTests {
    @Test("Draining lets the peer finish what it sent, names the last stream, and ends when it is done")
    func drain() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        peer.connection.drain()
        let notice = peer.receive()
        #expect(notice.map(\.type) == [0x7])
        #expect(notice[0].value == 0x7fff_ffff)
        #expect(notice[0].code == 0)

        try peer.send(Frames.request(3))
        peer.connection.drain()
        let last = peer.receive()
        #expect(last.map(\.type) == [0x7])
        #expect(last[0].value == 3)
        #expect(!peer.connection.isFinished)

        try peer.send(Frames.request(5))
        #expect(peer.events() == [.request(stream: 1, hasBody: false), .request(stream: 3, hasBody: false)])
        peer.answer(1)
        peer.answer(3)
        #expect(peer.receive().map(\.stream) == [1, 3])
        #expect(peer.connection.isFinished)
        #expect(peer.connection.sentGoAway == .noError)
    }

    @Test("An idle connection is finished as soon as it is drained")
    func idle() throws {
        let peer = try Peer()
        peer.connection.drain()
        _ = peer.receive()
        #expect(!peer.connection.isFinished)
        peer.connection.drain()
        #expect(!peer.connection.isFinished)
        _ = peer.receive()
        #expect(peer.connection.isFinished)
    }

    @Test("A peer that goes away is still answered")
    func peerGoesAway() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1) + Frames.goAway())
        #expect(peer.events() == [.request(stream: 1, hasBody: false), .goAway])
        #expect(!peer.connection.isFinished)
        peer.answer(1)
        #expect(peer.receive().map(\.type) == [0x1])
        #expect(peer.connection.isFinished)
    }

    @Test("Shutting down says why and leaves nothing to do", arguments: [HTTP2ErrorCode.noError, .internalError])
    func shutdown(_ code: HTTP2ErrorCode) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        peer.connection.shutdown(code)
        let frames = peer.receive()
        #expect(frames.map(\.type) == [0x7])
        #expect(frames[0].value == 1)
        #expect(frames[0].code == code.rawValue)
        #expect(peer.connection.isFinished)
        try peer.send(Frames.request(3))
        #expect(peer.events() == [.request(stream: 1, hasBody: false)])
    }

    @Test("A connection that goes takes its streams with it")
    func release() throws {
        weak var connection: HTTP2ServerConnection?
        do {
            let peer = try Peer()
            connection = peer.connection
            try peer.send(Frames.request(1, "POST", end: false) + Frames.data(1, [1]) + Frames.raw(0x1, stream: 3, [0]))
            peer.answer(1, framing: .streamed, content: [1])
        }
        #expect(connection == nil)
    }
}
