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
        #expect(peer.connection.sentGoAway == nil)
        #expect(!peer.connection.isFinished)
    }

    @Test("Resets of streams that are gone are no rapid resets")
    func lateResets() throws {
        let peer = try Peer()
        for stream in stride(from: Int32(1), to: 4001, by: 2) {
            try peer.send(Frames.request(stream))
            peer.answer(stream)
            _ = peer.receive()
            try peer.send(Frames.reset(stream) + Frames.reset(stream))
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
        ("GOAWAY", Frames.goAway(last: 0), .controlFrames),
        ("frames of no known type", Frames.raw(0xee, stream: 0, [1, 2, 3]), .controlFrames),
        ("PRIORITY_UPDATE", Frames.raw(0x10, stream: 0, [0, 0, 0, 1] + Array("u=1".utf8)), .controlFrames),
        ("empty DATA", Frames.data(1, []), .emptyFrames),
        ("DATA of padding", Frames.data(1, [], padding: 10), .emptyFrames),
        ("a head for a stream that is gone", Frames.request(3) + Frames.reset(3) + Frames.request(3), .controlFrames),
        ("RST_STREAM of closed streams", Frames.request(3) + Frames.reset(3) + Frames.reset(3), .controlFrames),
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
        arguments: floods)
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

    @Test(
        "Blocks for a stream that is gone are counted by their size", arguments: [(10, 200...1001), (16_000, 10...20)])
    func ignoredBlocks(_ size: Int, _ range: ClosedRange<Int>) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1) + Frames.reset(1))
        // References to an entry of the static table, which cost a byte each.
        let block = Frames.raw(0x1, flags: 0x5, stream: 1, [UInt8](repeating: 0x82, count: size))
        var sent = 0
        let error = #expect(throws: HTTP2Error.self) {
            while sent < 2000 {
                try peer.send(block)
                sent += 1
            }
        }
        #expect(error == .abuse(.controlFrames))
        #expect(range.contains(sent))
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

    /// What makes a server end the connection, or reset a stream, without any RST_STREAM of the peer's.
    static let otherProvocations: [(String, @Sendable (Int32) -> [UInt8])] = [
        ("a window opened by nothing", { Frames.windowUpdate($0, 0) }),
        ("a stream that depends on itself", { Frames.priority($0, on: $0) }),
        ("a PRIORITY of four bytes", { Frames.raw(0x2, stream: $0, [0, 0, 0, 0]) }),
        ("a RST_STREAM of three bytes", { Frames.raw(0x3, stream: $0, [0, 0, 0]) }),
        ("DATA behind the end", { Frames.data($0, [1], end: true) + Frames.data($0, [1]) }),
        ("a second head behind the end", { Frames.data($0, [1], end: true) + Frames.request($0) }),
        (
            "an initial window that overflows",
            { _ in Frames.windowUpdate(1, 0x7fff_0000) + Frames.settings([(4, 0x7fff_ffff)]) }
        ),
    ]

    @Test("No stream error that a peer can provoke goes uncounted", arguments: 0..<7)
    func everyProvocation(_ kind: Int) throws {
        let peer = try Peer()
        var resets = 0
        do throws(HTTP2Error) {
            for stream in stride(from: Int32(1), to: 4001, by: 2) {
                try peer.send(Frames.request(stream, "POST", "/", [("content-length", "1")], end: false))
                try peer.send(Self.otherProvocations[kind].1(stream))
                resets += peer.receive().count { $0.type == 0x3 }
                _ = peer.events()
                if peer.connection.isFinished { break }
            }
        } catch {
            #expect([.abuse(.provokedResets), .abuse(.controlFrames)].contains(error))
        }
        _ = peer.receive()
        #expect(peer.connection.isFinished)
        #expect(resets <= 201)
    }

    @Test("Blocks that are given up again and again end the connection")
    func headerBombs() throws {
        let peer = try Peer(HTTP2Limits(head: HeadLimits(bytes: 1000, count: 100)))
        let big = [("x-bomb", String(repeating: "a", count: 5000))]
        var sent = 0
        let error = #expect(throws: HTTP2Error.self) {
            for stream in stride(from: Int32(1), to: 201, by: 2) {
                try peer.send(Frames.request(stream, "GET", "/", big))
                _ = peer.receive()
                sent += 1
            }
        }
        #expect(error == .abuse(.headerBomb))
        #expect(sent == 10)
        expectCalm(peer)
    }

    @Test("Heads that are merely too large are answered each")
    func largeHeads() throws {
        let peer = try Peer(HTTP2Limits(head: HeadLimits(bytes: 1000, count: 100)))
        let large = [("x-large", String(repeating: "a", count: 2000))]
        for stream in stride(from: Int32(1), to: 2001, by: 2) {
            try peer.send(Frames.request(stream, "GET", "/", large))
            #expect(peer.events() == [.refused(stream: stream, .fieldsTooLarge)])
            peer.answer(stream, status: 431)
            #expect(peer.receive().map(\.type) == [0x1])
            #expect(peer.events() == [.completed(stream: stream)])
        }
        #expect(peer.connection.failure == nil)
    }

    @Test(
        "Windows opened by a few bytes end the connection, those opened by more do not", arguments: [1, 255, 256, 4096])
    func dribble(_ window: UInt32) throws {
        let generous = HTTP2Allowance(burst: 1 << 30, perSecond: 1)
        let peer = try Peer(limits { $0.controlFrames = generous }, settings: [(4, 0)])
        try peer.send(Frames.request(1))
        peer.answer(1, framing: .streamed, content: [UInt8](repeating: 1, count: 8 << 20))
        var error: HTTP2Error?
        var frames = 0
        for _ in 0..<2000 {
            // However slowly: a byte a minute pins the rest for ever.
            peer.now = peer.now + .seconds(60)
            do throws(HTTP2Error) {
                try peer.send(Frames.windowUpdate(1, window) + Frames.windowUpdate(0, window))
            } catch let thrown {
                error = thrown
                break
            }
            frames += peer.receive().count { $0.type == 0x0 }
        }
        #expect(error == (window < 256 ? .abuse(.dribble) : nil))
        #expect(window < 256 ? frames < 250 : frames == 2000)
        if window < 256 { #expect(peer.connection.isFinished) }
    }

    @Test("Many streams with one-byte windows end the connection")
    func oneByteWindows() throws {
        let peer = try Peer(settings: [(4, 1)])
        var sent = 0
        for stream in stride(from: Int32(1), to: 2001, by: 2) {
            guard (try? peer.send(Frames.request(stream))) != nil else { break }
            peer.answer(stream, framing: .streamed, content: [1, 2, 3])
            sent += peer.receive().count { $0.type == 0x0 }
            try? peer.send(Frames.reset(stream))
        }
        #expect(peer.connection.failure == .abuse(.rapidReset) || peer.connection.failure == .abuse(.dribble))
        #expect(sent <= 201)
    }

    @Test("Small content in small frames is no sliver")
    func smallContent() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        var head = ResponseHead()
        head.status = 200
        head.framing = .streamed
        peer.connection.sendHead(head, on: 1, endStream: false)
        for _ in 0..<2000 {
            peer.connection.sendBody([1].span, on: 1)
            #expect(peer.receive().last?.payload == [1])
        }
        #expect(peer.connection.failure == nil)
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
        var limits = limits { $0.controlFrames = HTTP2Allowance(burst: 1 << 30, perSecond: 1) }
        limits.streams = 1
        let peer = try Peer(limits, greets: false)
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
