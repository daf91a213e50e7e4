import Bytes
import HTTP
import HTTP2

/// Both machines of HTTP/2, fed the frames of a peer that means no good.
///
/// The first byte of an input says which machine, whether its limits are tight, and where the rest is cut; the rest are
/// frames behind a preface and SETTINGS that are as they should be.
final class HTTP2Harness: Harness {
    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard !input.isEmpty else { return false }
        let plan = HTTP2Plan(input[0])
        let frames = Array(copying: input.extracting(1...))
        let whole = try HTTP2Recording(plan, frames, cut: .nowhere)
        try demand(whole.isWithinBounds, "what is held is bounded by windows and limits")
        let single = try HTTP2Recording(plan, frames, cut: .everywhere)
        try demand(single == whole, "bytes mean the same when they come one by one")
        let pieces = try HTTP2Recording(plan, frames, cut: .somewhere)
        try demand(pieces == whole, "bytes mean the same however they are cut")
        if plan.isServer { try checkHeads(whole) }
        var play = HTTP2Play(plan)
        try play.run(frames)
        return whole.failure == nil && !whole.sentError && whole.events > 0
    }

    /// What the HTTP/2 machine promises of a head (see ``RequestHead``).
    private func checkHeads(_ recording: HTTP2Recording) throws(Violation) {
        for head in recording.heads {
            try demand(Self.isToken(head.method), "a method is a token")
            try demand(head.target.first == "/" || head.target == "*", "a target is in origin-form or an asterisk")
            try demand(Authority(head.authority.utf8.span) != nil, "an authority is one")
            try demand((head.method == "CONNECT") == !head.upgrade.isEmpty, "a tunnel has a protocol, nothing else has")
            for (name, value) in head.fields {
                try demand(Self.isToken(name) && name.lowercased() == name, "names are tokens in lower case")
                try demand(value.utf8.allSatisfy(\.isFieldContent), "values hold no control characters")
                try demand(!Self.ofConnections.contains(name), "fields of a connection are no fields of a request")
            }
        }
    }

    private static func isToken(_ text: String) -> Bool {
        ByteSet.token.holdsAll(of: text.utf8.span)
    }

    private static let ofConnections: Set<String> = [
        "connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    ]

    /// Changes the payload of one frame and writes its length anew.
    ///
    /// Or else most inputs would end at the first frame that does not fit. Now and then bytes are changed wherever they are.
    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? {
        guard mutation.seed % 8 != 0, input.count > 10 else { return nil }
        var frames = Self.frames(of: input.dropFirst())
        guard !frames.isEmpty else { return nil }
        let chosen = Int(mutation.seed / 8) % frames.count
        switch mutation.seed / 1024 % 8 {
        case 0: frames.insert(frames[chosen], at: frames.count)
        case 1: frames.swapAt(chosen, frames.count - 1)
        case 2: frames.remove(at: chosen)
        case 3:
            let header = mutation.bytes(Array(frames[chosen][3..<9])).prefix(6)
            frames[chosen].replaceSubrange(3..<3 + header.count, with: header)
        default:
            let payload = mutation.bytes(Array(frames[chosen].dropFirst(9))).prefix(16_384)
            let length = [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xff), UInt8(payload.count & 0xff)]
            frames[chosen] = length + frames[chosen][3..<9] + payload
        }
        return [input[0]] + frames.joined()
    }

    private static func frames(of bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var rest = bytes
        while rest.count >= 9 {
            let length = rest.prefix(3).reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 9 + length else { break }
            frames.append(Array(rest.prefix(9 + length)))
            rest = rest.dropFirst(9 + length)
        }
        return frames
    }
}
