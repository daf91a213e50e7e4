import HTTP
import HTTP1
import Testing

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}

/// Messages that are nearly valid: parts that mean something to some parser, put together and then damaged.
struct MessageGenerator {
    var random: SplitMix

    static let fields = [
        "host: a\r\n", "Host: a\r\n", "content-length: 5\r\n", "Content-Length: 0\r\n",
        "transfer-encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n", "x: y\r\n", "X-Y:\r\n", "connection: close\r\n", "connection: x-y\r\n",
        "expect: 100-continue\r\n", " folded\r\n", "content-length: 5, 5\r\n", "x: a\tb \u{e9}\r\n", "te: trailers\r\n",
        "connection: upgrade\r\n", "upgrade: websocket\r\n",
    ]
    static let bodies = ["", "hello", "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n"]
    static let noise = [
        "\r", "\n", "\r\n", " ", "\t", ":", ",", ";", "\u{0}", "\u{7f}", "\u{80}", "0", "5", "a", "/", "\"", "\r\n\r\n",
        "HTTP/1.1",
        "chunked", "content-length", "\u{b}",
    ]

    /// A message with that start line; half of them are valid.
    mutating func message(_ lines: [String], required: String) -> String {
        var text = random.pick(lines) + "\r\n" + required
        if random.below(2) == 0 {
            let (field, body) = random.pick([
                ("", ""), ("content-length: 5\r\n", "hello"),
                ("transfer-encoding: chunked\r\n", "2;x\r\nhe\r\n3\r\nllo\r\n0\r\ny: z\r\n\r\n"),
            ])
            return damaged(text + field + "x: y\r\n\r\n" + body, atMost: 2)
        }
        for _ in 0..<random.below(4) { text += random.pick(Self.fields) }
        return damaged(text + "\r\n" + random.pick(Self.bodies), atMost: 3)
    }

    private mutating func damaged(_ text: String, atMost limit: Int) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<random.below(limit + 1) where !scalars.isEmpty {
            let place = random.below(scalars.count)
            switch random.below(4) {
            case 0: scalars.remove(at: place)
            case 1: scalars.insert(contentsOf: random.pick(Self.noise).unicodeScalars, at: place)
            case 2: scalars[place] = Unicode.Scalar(UInt8(truncatingIfNeeded: random.next()))
            default: scalars.insert(scalars[random.below(scalars.count)], at: place)
            }
        }
        var result = ""
        result.unicodeScalars.append(contentsOf: scalars)
        return result
    }
}

@Suite("What is accepted means the same when it is written again")
struct RoundTripTests {
    static let owned: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "upgrade", "expect",
        "te",
    ]

    static func forwarded(_ fields: [Line]) -> [Line] { fields.filter { !owned.contains($0.name) } }

    /// The first message in `events`, if it is complete: its head and its content.
    static func first(_ events: [Event]) -> (head: Event, content: String)? {
        guard let head = events.first else { return nil }
        switch head {
        case .request(_, hasBody: false), .response(_, hasBody: false): return (head, "")
        case .request, .response:
            if events.count > 1, events[1] == .end { return (head, "") }
            if events.count > 2, case .body(let content) = events[1], events[2] == .end { return (head, content) }
            return nil
        default: return nil
        }
    }

    /// The trailers of that message.
    static func trailers(_ events: [Event]) -> [Line]? {
        guard let end = events.firstIndex(of: .end), end + 1 < events.count,
            case .trailers(let lines) = events[end + 1]
        else { return nil }
        return lines
    }

    @Test("Requests", arguments: [1, 2, 3, 4] as [UInt64])
    func requests(seed: UInt64) {
        var generator = MessageGenerator(random: SplitMix(seed: seed))
        let lines = [
            "GET / HTTP/1.1", "POST /a?b HTTP/1.1", "HEAD * HTTP/1.1", "OPTIONS * HTTP/1.1", "PUT https://a/x HTTP/1.1",
            "GET / HTTP/1.0", "POST / HTTP/1.1",
        ]
        var accepted = 0
        var refused = 0
        for _ in 0..<1500 {
            let input = generator.message(lines, required: "host: a\r\n")
            let events = serve(input)
            #expect(serve(input, by: 1) == events, "\(input.debugDescription)")
            #expect(serve(input, by: 1 + generator.random.below(9)) == events, "\(input.debugDescription)")
            guard let (head, content) = Self.first(events), case .request(let request, _) = head else {
                refused += 1
                continue
            }
            accepted += 1
            // HTTP/1.0 without Host is completed by whoever forwards it.
            guard !request.authority.isEmpty else { continue }
            checkForwarding(of: request, content: content, trailers: Self.trailers(events), input: input)
        }
        #expect(accepted > 250 && refused > 250, "\(accepted) accepted, \(refused) refused")
    }

    private func checkForwarding(of request: RequestText, content: String, trailers: [Line]?, input: String) {
        var client = ClientTranscript()
        client.send(request, content: [content], trailers: trailers)
        let written = client.output.takeText()
        let again = serve(written)
        guard let (head, sameContent) = Self.first(again), case .request(let same, _) = head else {
            Issue.record("\(input.debugDescription) became \(written.debugDescription)")
            return
        }
        #expect(sameContent == content)
        #expect(same.method == request.method && same.target == request.target && same.authority == request.authority)
        #expect(same.framing == request.framing)
        #expect(Self.forwarded(same.fields) == Self.forwarded(request.fields))
        #expect(same.upgrade == request.upgrade)
        #expect(same.acceptsTrailers == (request.acceptsTrailers && request.upgrade.isEmpty))
        #expect(Self.trailers(again) == trailers)
        let rest = again.filter { if case .trailers = $0 { false } else { true } }
        #expect(rest.count == (content.isEmpty ? (same.framing == .none ? 1 : 2) : 3), "\(written.debugDescription)")
    }

    @Test("Answers", arguments: [5, 6, 7, 8] as [UInt64])
    func answers(seed: UInt64) {
        var generator = MessageGenerator(random: SplitMix(seed: seed))
        let lines = [
            "HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 204 No Content", "HTTP/1.1 304", "HTTP/1.0 200 OK",
            "HTTP/1.1 500 ",
        ]
        var accepted = 0
        var refused = 0
        for _ in 0..<1500 {
            let input = generator.message(lines, required: "server: b\r\n")
            let events = HTTP1ClientConnectionTests.receive(input, by: .max, method: "GET", limits: roomy)
            let pieces = HTTP1ClientConnectionTests.receive(input, by: 1, method: "GET", limits: roomy)
            #expect(pieces == events, "\(input.debugDescription)")
            guard let (head, content) = Self.first(events), case .response(let response, _) = head else {
                refused += 1
                continue
            }
            accepted += 1
            checkForwarding(of: response, content: content, trailers: Self.trailers(events), input: input)
        }
        #expect(accepted > 250 && refused > 250, "\(accepted) accepted, \(refused) refused")
    }

    private func checkForwarding(of response: ResponseText, content: String, trailers: [Line]?, input: String) {
        var server = ServerTranscript()
        server.answers = false
        server.feed(request("te: trailers\r\n"))
        server.answer(response, content: [content], trailers: trailers)
        let written = server.output.takeText()
        let again = HTTP1ClientConnectionTests.receive(written, by: .max, method: "GET", limits: roomy)
        guard let (head, sameContent) = Self.first(again), case .response(let same, _) = head else {
            Issue.record("\(input.debugDescription) became \(written.debugDescription)")
            return
        }
        #expect(sameContent == content)
        #expect(same.status == response.status)
        #expect(same.framing == response.framing || response.status == 304)
        #expect(Self.forwarded(same.fields) == Self.forwarded(response.fields))
        #expect(Self.trailers(again) == trailers)
        #expect(!again.contains(.unexpected), "\(written.debugDescription)")
    }
}
