import Bytes
import HTTP
import HTTP2
import Testing

@Suite("HTTP2ServerConnection: what wears a server down")
struct AbuseTests {
    private func limits(_ change: (inout HTTP2AbuseLimits) -> Void) -> HTTP2Limits {
        var abuse = HTTP2AbuseLimits()
        change(&abuse)
        return HTTP2Limits(abuse: abuse)
    }

    private func expectCalm(_ peer: Peer) {
        #expect(peer.receive().last?.type == 0x7)
        #expect(peer.connection.sentGoAway == .enhanceYourCalm)
        #expect(peer.connection.isFinished)
    }

    @Test("Requests cancelled as fast as they are made end the connection")
    func rapidReset() throws {
        let peer = try Peer()
        var made = 0
        let error = #expect(throws: HTTP2Error.self) {
            for stream in stride(from: Int32(1), to: 20_001, by: 2) {
                try peer.send(Frames.request(stream) + Frames.reset(stream))
                _ = peer.events()
                _ = peer.receive()
                made += 1
            }
        }
        #expect(error == .abuse(.rapidReset))
        #expect(made == 200)
        #expect(throws: HTTP2Error.abuse(.rapidReset)) { try peer.send(Frames.ping) }
        expectCalm(peer)
    }

    @Test("A client that cancels half of what it asks, or cancels at leisure, is served", arguments: [true, false])
    func honestCancellation(_ completesOthers: Bool) throws {
        let peer = try Peer()
        var stream: Int32 = 1
        for _ in 0..<2000 {
            try peer.send(Frames.request(stream) + Frames.reset(stream))
            stream += 2
            if completesOthers {
                try peer.send(Frames.request(stream))
                peer.answer(stream)
                stream += 2
            } else {
                peer.now = peer.now + .milliseconds(25)
            }
            _ = peer.receive()
        }
        #expect(peer.connection.failure == nil)
    }

    static let floods: [(String, [UInt8], HTTP2Abuse)] = [
        ("PING", Frames.ping, .controlFrames),
        ("PING acknowledgements", Frames.raw(0x6, flags: 1, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0]), .controlFrames),
        ("SETTINGS", Frames.settings([(4, 70_000)]), .controlFrames),
        ("empty SETTINGS", Frames.settings([]), .controlFrames),
        ("PRIORITY", Frames.priority(1), .controlFrames),
        ("PRIORITY of idle streams", Frames.priority(101), .controlFrames),
        ("WINDOW_UPDATE", Frames.windowUpdate(0, 1), .controlFrames),
        ("WINDOW_UPDATE of a stream", Frames.windowUpdate(1, 1), .controlFrames),
        ("empty DATA", Frames.data(1, []), .emptyFrames),
        ("DATA of padding", Frames.data(1, [], padding: 10), .emptyFrames),
        ("RST_STREAM of closed streams", Frames.request(3) + Frames.reset(3) + Frames.reset(3), .rapidReset),
    ]

    @Test("A flood ends the connection", arguments: floods)
    func flood(_ name: String, _ frame: [UInt8], _ abuse: HTTP2Abuse) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", end: false))
        let error = #expect(throws: HTTP2Error.self) {
            for _ in 0..<5000 {
                try peer.send(frame)
                _ = peer.receive()
            }
        }
        #expect(error == .abuse(abuse))
        expectCalm(peer)
    }

    @Test(
        "The same frames at an honest pace are served",
        arguments: floods.filter { $0.0 != "RST_STREAM of closed streams" })
    func pace(_ name: String, _ frame: [UInt8], _ abuse: HTTP2Abuse) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", end: false))
        for _ in 0..<3000 {
            peer.now = peer.now + .milliseconds(110)
            try peer.send(frame)
            _ = peer.receive()
        }
        #expect(peer.connection.failure == nil)
    }

    @Test("Control frames that content pays for are served without a limit")
    func acknowledgements() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", end: false))
        let frame = Frames.data(1, [UInt8](repeating: 1, count: 4096))
        for _ in 0..<3000 {
            try peer.send(frame + Frames.ping + Frames.windowUpdate(0, 1))
            _ = peer.takeBody(of: 1)
            _ = peer.receive()
        }
        #expect(peer.connection.failure == nil)
    }

    @Test("A field block in too many frames ends the connection", arguments: [(16, true), (17, false)])
    func continuations(_ count: Int, _ isAccepted: Bool) throws {
        let peer = try Peer()
        let head = Frames.raw(0x1, flags: 1, stream: 1, Frames.block(Frames.head()))
        let rest = (1...count).flatMap { Frames.continuation(1, [], end: $0 == count) }
        if isAccepted {
            try peer.send(head + rest)
            #expect(peer.events() == [.request(stream: 1, hasBody: false)])
        } else {
            #expect(throws: HTTP2Error.abuse(.continuations)) { try peer.send(head + rest) }
            expectCalm(peer)
        }
    }

    @Test("A block whose stream is ignored may not go on for ever either")
    func ignoredContinuations() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1) + Frames.reset(1))
        let head = Frames.raw(0x1, flags: 1, stream: 1, Frames.block(Frames.head()))
        #expect(throws: HTTP2Error.abuse(.continuations)) {
            try peer.send(head)
            for _ in 0..<1000 { try peer.send(Frames.continuation(1, [], end: false)) }
        }
        expectCalm(peer)
    }

    /// What makes a server reset a stream whose request is already at work.
    static let provocations: [(String, @Sendable (Int32) -> [UInt8])] = [
        ("trailers in upper case", { Frames.headers($0, [("X-Sum", "1")]) }),
        ("a window over 31 bits", { Frames.windowUpdate($0, 0x7fff_ffff) }),
        ("more content than declared", { Frames.data($0, [1, 2]) }),
        ("malformed trailers", { Frames.headers($0, [(":path", "/")]) }),
    ]

    @Test("Resets that the peer provokes are counted as its own", arguments: 0..<4)
    func madeYouReset(_ kind: Int) throws {
        let peer = try Peer()
        var resets = 0
        let error = #expect(throws: HTTP2Error.self) {
            for stream in stride(from: Int32(1), to: 4001, by: 2) {
                try peer.send(Frames.request(stream, "POST", "/", [("content-length", "1")], end: false))
                try peer.send(Self.provocations[kind].1(stream))
                resets += peer.receive().filter { $0.type == 0x3 && $0.stream == stream }.count
                _ = peer.events()
            }
        }
        #expect(error == .abuse(.provokedResets))
        #expect(resets == 201)
        #expect(peer.connection.sentGoAway == .enhanceYourCalm)
        #expect(peer.connection.isFinished)
    }

    @Test("Resets of our own choice are not held against the peer")
    func ownResets() throws {
        let peer = try Peer()
        for stream in stride(from: Int32(1), to: 2001, by: 2) {
            try peer.send(Frames.request(stream, "POST", end: false))
            if stream % 4 == 1 { peer.connection.reset(stream: stream, .internalError) } else { peer.answer(stream) }
            _ = peer.receive()
        }
        #expect(peer.connection.failure == nil)
        #expect(peer.connection.openStreams == 0)
    }

    @Test("Answers that pile up because the peer does not read end the connection")
    func backlog() throws {
        let generous = HTTP2Allowance(burst: 1 << 30, perSecond: 1)
        let peer = try Peer(limits { $0.controlFrames = generous })
        let error = #expect(throws: HTTP2Error.self) {
            for _ in 0..<5000 { try peer.send(Frames.ping) }
        }
        #expect(error == .abuse(.backlog))
        expectCalm(peer)
    }

    @Test("Refusals that pile up because the peer does not read end the connection")
    func refusals() throws {
        let peer = try Peer(HTTP2Limits(streams: 1), greets: false)
        // Our SETTINGS stay unacknowledged, so that streams over the limit are refused one by one.
        try peer.send(Frames.preface + Frames.request(1))
        let error = #expect(throws: HTTP2Error.self) {
            for stream in stride(from: Int32(3), to: 10_000, by: 2) { try peer.send(Frames.request(stream)) }
        }
        #expect(error == .abuse(.backlog))
        #expect(peer.connection.openStreams == 1)
    }

    @Test("Streams over the announced limit are refused before the peer knows it, and an error after")
    func concurrency() throws {
        let early = try Peer(HTTP2Limits(streams: 2), greets: false)
        try early.send(Frames.preface + Frames.request(1) + Frames.request(3) + Frames.request(5))
        #expect(early.events().count == 2)
        let refusal = try #require(early.receive().last)
        #expect(refusal.type == 0x3)
        #expect(refusal.stream == 5)
        #expect(refusal.code == HTTP2ErrorCode.refusedStream.rawValue)

        let late = try Peer(HTTP2Limits(streams: 2))
        try late.send(Frames.request(1) + Frames.request(3) + Frames.request(5))
        #expect(late.events().count == 2)
        #expect(late.receive().last?.code == HTTP2ErrorCode.protocolError.rawValue)
        #expect(late.connection.isFinished)
    }

    @Test("Limits that contradict each other are refused")
    func inconsistent() {
        let bad = [
            HTTP2Limits(streams: 0), HTTP2Limits(streamWindow: 1 << 21), HTTP2Limits(connectionWindow: 65_534),
            HTTP2Limits(head: HeadLimits(bytes: 0, count: 1)), HTTP2Limits(streamWindow: 0),
        ]
        for limits in bad {
            #expect(throws: HTTP2Error.invalidLimits) { _ = try HTTP2ServerConnection(limits: limits) }
        }
    }
}
