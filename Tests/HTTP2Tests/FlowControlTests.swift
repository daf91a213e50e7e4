import Bytes
import HTTP
import HTTP2
import Testing

@Suite("HTTP2ServerConnection: flow control")
struct FlowControlTests {
    private let limits = HTTP2Limits(streamWindow: 70_000, connectionWindow: 140_000)

    private func fill(_ peer: Peer, _ stream: Int32, _ count: Int) throws {
        var rest = count
        while rest > 0 {
            let piece = min(rest, 16_384)
            try peer.send(Frames.data(stream, [UInt8](repeating: 5, count: piece)))
            rest -= piece
        }
    }

    @Test("Content that nobody takes closes the peer's windows; taking it opens them")
    func backpressure() throws {
        let peer = try Peer(limits)
        try peer.send(Frames.request(1, "POST", end: false))
        try fill(peer, 1, 70_000)
        #expect(peer.receive().isEmpty)
        #expect(peer.connection.bufferedBody(of: 1) == 70_000)

        #expect(peer.takeBody(of: 1, upTo: 60_000).count == 60_000)
        let updates = peer.receive()
        #expect(updates.filter { $0.type == 0x8 && $0.stream == 1 }.map(\.value) == [60_000])
        try fill(peer, 1, 60_000)
        #expect(peer.connection.bufferedBody(of: 1) == 70_000)
        #expect(peer.connection.failure == nil)
        #expect(peer.events() == [.request(stream: 1, hasBody: true), .body(stream: 1)])
    }

    @Test("Content beyond a stream's window resets the stream")
    func overrun() throws {
        let peer = try Peer(limits)
        try peer.send(Frames.request(1, "POST", end: false))
        try fill(peer, 1, 70_001)
        let frames = peer.receive()
        #expect(frames.filter { $0.type == 0x3 }.map(\.code) == [HTTP2ErrorCode.flowControlError.rawValue])
        #expect(peer.events().last == .reset(stream: 1))
    }

    @Test("Content beyond the connection's window ends the connection")
    func connectionOverrun() throws {
        let peer = try Peer(limits)
        try peer.send([1, 3, 5].flatMap { Frames.request($0, "POST", end: false) })
        try fill(peer, 1, 70_000)
        try fill(peer, 3, 70_000)
        try fill(peer, 5, 1)
        #expect(peer.receive().last?.code == HTTP2ErrorCode.flowControlError.rawValue)
        #expect(peer.connection.isFinished)
    }

    @Test("A stalled stream leaves the connection's window to others, and gives its share back when it ends")
    func share() throws {
        let peer = try Peer(limits)
        try peer.send(Frames.request(1, "POST", end: false) + Frames.request(3, "POST", end: false))
        try fill(peer, 1, 70_000)
        try fill(peer, 3, 65_000)
        #expect(peer.takeBody(of: 3).count == 65_000)
        #expect(peer.receive().filter { $0.type == 0x8 }.map(\.stream) == [3])
        try peer.send(Frames.reset(1))
        // 135,000 of 140,000 were used; both shares are back now.
        #expect(peer.receive().filter { $0.type == 0x8 }.map(\.value) == [135_000])
    }

    @Test("Room that the driver's own reset frees goes back to the connection")
    func ownReset() throws {
        let peer = try Peer(limits)
        try peer.send(Frames.request(1, "POST", end: false) + Frames.request(3, "POST", end: false))
        try fill(peer, 1, 70_000)
        try fill(peer, 3, 5000)
        peer.connection.reset(stream: 1, .cancel)
        #expect(peer.receive().filter { $0.type == 0x8 && $0.stream == 0 }.map(\.value) == [70_000])
    }

    @Test("Padding is consumed at once")
    func padding() throws {
        let peer = try Peer(limits)
        try peer.send(Frames.request(1, "POST", end: false))
        for _ in 0..<300 { try peer.send(Frames.data(1, [1], padding: 255)) }
        #expect(peer.receive().contains { $0.type == 0x8 && $0.stream == 1 })
        #expect(peer.connection.bufferedBody(of: 1) == 300)
        #expect(peer.connection.failure == nil)
    }

    @Test("An answer stops at the peer's window and goes on when it opens")
    func peerWindow() throws {
        let peer = try Peer(settings: [(4, 1000)])
        try peer.send(Frames.request(1))
        var head = ResponseHead()
        head.status = 200
        head.framing = .streamed
        peer.connection.sendHead(head, on: 1, endStream: false)
        peer.connection.sendBody([UInt8](repeating: 1, count: 2500).span, on: 1)
        peer.connection.endBody(on: 1)
        #expect(peer.receive().filter { $0.type == 0x0 }.map(\.payload.count) == [1000])
        #expect(peer.connection.pendingBody(on: 1) == 1500)
        #expect(!peer.connection.wantsToSend)
        try peer.send(Frames.windowUpdate(1, 1400))
        #expect(peer.receive().map(\.payload.count) == [1400])
        try peer.send(Frames.windowUpdate(1, 1400))
        let last = peer.receive()
        #expect(last.map(\.payload.count) == [100])
        #expect(last[0].endsStream)
        #expect(peer.events().last == .completed(stream: 1))
    }

    @Test("A stream says once that its buffer is low again")
    func lowMark() throws {
        var limits = HTTP2Limits()
        limits.sendLowMark = 10_000
        let peer = try Peer(limits, settings: [(4, 0)])
        try peer.send(Frames.request(1))
        _ = peer.events()
        var head = ResponseHead()
        head.status = 200
        head.framing = .streamed
        peer.connection.sendHead(head, on: 1, endStream: false)
        peer.connection.sendBody([UInt8](repeating: 1, count: 30_000).span, on: 1)
        _ = peer.receive()
        #expect(peer.connection.pendingBody(on: 1) == 30_000)
        #expect(peer.events().isEmpty)
        try peer.send(Frames.windowUpdate(1, 20_000))
        _ = peer.receive()
        #expect(peer.events().isEmpty)
        try peer.send(Frames.windowUpdate(1, 1))
        _ = peer.receive()
        #expect(peer.events() == [.writable(stream: 1)])
        try peer.send(Frames.windowUpdate(1, 5000))
        _ = peer.receive()
        #expect(peer.events().isEmpty)
        #expect(peer.connection.pendingBody(on: 1) == 4999)
    }

    @Test("A long answer does not starve the others, whatever priority is claimed")
    func fairness() throws {
        let peer = try Peer(settings: [(4, 1 << 24)])
        try peer.send(Frames.windowUpdate(0, 1 << 24))
        try peer.send(Frames.request(1, "GET", "/", [("priority", "u=0")]))
        try peer.send(Frames.request(3, "GET", "/", [("priority", "u=7")]))
        for id: Int32 in [1, 3] {
            peer.answer(id, framing: .streamed, content: [UInt8](repeating: 1, count: 500_000))
        }
        let order = peer.receive().filter { $0.type == 0x0 }.prefix(20).map(\.stream)
        #expect(order.filter { $0 == 3 }.count >= 9)
        #expect(order.filter { $0 == 1 }.count >= 9)
    }

    @Test("A hundred megabytes pass through in bounded memory")
    func bulk() throws {
        let peer = try Peer(settings: [(4, 1 << 24)])
        try peer.send(Frames.windowUpdate(0, 0x7fff_0000 - 65_535) + Frames.request(1, "POST", end: false))
        try peer.send(Frames.windowUpdate(1, 0x7000_0000))
        var head = ResponseHead()
        head.status = 200
        head.framing = .streamed
        peer.connection.sendHead(head, on: 1, endStream: false)
        let frame = Frames.data(1, [UInt8](repeating: 9, count: 16_384))
        var body = ByteQueue()
        var output = ByteQueue()
        for _ in 0..<6400 {
            try peer.send(frame)
            #expect(peer.connection.takeBody(of: 1, into: &body, upTo: .max) == 16_384)
            peer.connection.sendBody(body.readable, on: 1)
            body.removeAll()
            peer.connection.send(into: &output, upTo: 1 << 20)
            #expect(output.count >= 16_384 + 9)
            output.removeAll()
        }
        #expect(output.capacity <= 128 << 10)
        #expect(body.capacity <= 128 << 10)
        #expect(peer.connection.failure == nil)
    }
}
