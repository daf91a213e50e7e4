import Bytes
import HTTP
import HTTP2
import Testing

/// A generator that says the same again for the same seed (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

@Suite("HTTP2ServerConnection: whatever comes")
struct HostileInputTests {
    /// A frame on one of the streams up to `last`, or now and then on any; the first kinds open the next one.
    private func frame(_ random: inout SeededGenerator, last: inout Int32) -> [UInt8] {
        let kind = Int.random(in: 0..<14, using: &random)
        if kind < 6 { last += 2 }
        let isStray = Int.random(in: 0..<60, using: &random) == 0
        let earlier = min(last, Int32.random(in: 0...last / 2, using: &random) * 2 + 1)
        let stream = kind < 6 ? last : isStray ? .random(in: 0...99, using: &random) : earlier
        let ends = Bool.random(using: &random)
        let content = [UInt8](repeating: 1, count: Int.random(in: 0...40, using: &random))
        let block = Frames.block(Frames.head("POST") + [("content-length", "\(content.count)")])
        switch kind {
        case 0...3: return Frames.request(stream, "POST", "/", [("a", "b")], end: ends)
        case 4: return Frames.raw(0x1, flags: ends ? 0x5 : 0x4, stream: stream, block)
        case 5: return Frames.raw(0x1, stream: stream, block) + Frames.continuation(stream, [], end: ends)
        case 6, 7: return Frames.data(stream, content, end: ends)
        case 8: return Frames.data(stream, content, end: ends, padding: 9)
        case 9: return Frames.reset(stream)
        case 10: return Frames.windowUpdate(stream, .random(in: 1...100_000, using: &random))
        case 11:
            let value = UInt32.random(in: 16_384...100_000, using: &random)
            return Frames.settings([(.random(in: 3...6, using: &random), value)])
        case 12: return Frames.headers(stream, [("x-trailer", "1")], end: ends)
        default: return Frames.ping + Frames.priority(stream, on: 3)
        }
    }

    /// Plays one conversation; returns how many streams were announced and how many ended.
    private func play(_ seed: UInt64, flips: Bool) throws -> (announced: Set<Int32>, ended: [Int32]) {
        var random = SeededGenerator(state: seed)
        let peer = try Peer(HTTP2Limits(bodyLimit: 60))
        var announced: Set<Int32> = []
        var ended: [Int32] = []
        var last: Int32 = -1
        for _ in 0..<60 {
            var bytes = frame(&random, last: &last)
            if flips, Int.random(in: 0..<8, using: &random) == 0 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do throws(HTTP2Error) { try peer.send(bytes) } catch { break }
            for event in peer.events() {
                switch event {
                case .request(let stream, _), .refused(let stream, _):
                    announced.insert(stream)
                    if peer.connection.canAnswer(stream), Bool.random(using: &random) {
                        peer.answer(stream, framing: .streamed, content: [1, 2, 3])
                    }
                case .body(let stream): _ = peer.takeBody(of: stream, upTo: 7)
                case .completed(let stream), .reset(let stream): ended.append(stream)
                case .endOfBody, .writable, .goAway: break
                }
            }
            _ = peer.receive()
            if peer.connection.isFinished { break }
        }
        return (announced, ended)
    }

    @Test("Each announced stream ends at most once, and only announced ones do", arguments: [false, true])
    func invariants(_ flips: Bool) throws {
        var total = 0
        for seed in 0..<400 {
            let (announced, ended) = try play(UInt64(seed), flips: flips)
            #expect(Set(ended).count == ended.count, "seed \(seed)")
            #expect(announced.isSuperset(of: ended), "seed \(seed)")
            total += ended.count
        }
        #expect(total > 200, "the conversations must not all die at once")
    }

    @Test("Noise after the preface ends the connection or means nothing")
    func noise() throws {
        var random = SeededGenerator(state: 1)
        for _ in 0..<2000 {
            let peer = try Peer()
            let bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
            do throws(HTTP2Error) { try peer.send(bytes) } catch { continue }
            _ = peer.receive()
            #expect(peer.events().allSatisfy { $0 != .request(stream: 0, hasBody: false) })
        }
    }
}
