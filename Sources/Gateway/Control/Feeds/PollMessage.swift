import Bytes
import JSON

/// The JSON that receivers and transmitters of events exchange (RFC 8936 §2.2, §2.4).
enum PollMessage {
    /// The most bytes of an answer.
    static let responseLimit = 4 << 20
    /// How many events are asked for at once.
    static let maximumEvents = 100

    /// What a receiver makes of a token that it refuses.
    struct Refusal: Equatable, Sendable {
        let code: String
        let description: String
    }

    /// A question for events, with what became of those that came before.
    static func question(
        returnImmediately: Bool, acknowledging acks: [String], refusing refusals: [String: Refusal]
    ) -> [UInt8] {
        var text = ByteQueue()
        text.append(#"{"maxEvents":"#)
        text.append(utf8: String(maximumEvents))
        text.append(returnImmediately ? #","returnImmediately":true"# : #","returnImmediately":false"#)
        if !acks.isEmpty {
            text.append(#","ack":["#)
            for (index, ack) in acks.enumerated() {
                if index > 0 { text.append(",") }
                text.append(jsonString: ack)
            }
            text.append("]")
        }
        if !refusals.isEmpty {
            text.append(#","setErrs":{"#)
            for (index, refusal) in refusals.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { text.append(",") }
                text.append(jsonString: refusal.key)
                text.append(#":{"err":"#)
                text.append(jsonString: refusal.value.code)
                text.append(#","description":"#)
                text.append(jsonString: refusal.value.description)
                text.append("}")
            }
            text.append("}")
        }
        text.append("}")
        return text.withReadable { Array(copying: $0) }
    }

    /// What a transmitter has answered.
    struct Answer: Equatable, Sendable {
        /// The tokens in compact form, by the identifiers that the transmitter calls them by, in its order.
        let tokens: [(name: String, compact: [UInt8])]
        /// Whether there are more.
        let moreAvailable: Bool

        static func == (left: Answer, right: Answer) -> Bool {
            left.moreAvailable == right.moreAvailable && left.tokens.map(\.name) == right.tokens.map(\.name)
                && left.tokens.map(\.compact) == right.tokens.map(\.compact)
        }
    }

    /// Reads an answer; nothing where it is none.
    static func answer(_ body: Span<UInt8>) -> Answer? {
        let limits = JSONLimits(bytes: responseLimit, depth: 8, members: 1024)
        guard let document = try? JSONDocument(body, limits: limits) else { return nil }
        let root = document.root
        guard let sets = root.member("sets"), sets.kind == .object else { return nil }
        var moreAvailable = false
        if let more = root.member("moreAvailable") {
            guard let more = more.bool else { return nil }
            moreAvailable = more
        }
        var tokens: [(name: String, compact: [UInt8])] = []
        var members = sets.members
        while let member = members.next() {
            guard let name = String(validating: member.name), let compact = member.value.text else { return nil }
            tokens.append((name, Array(copying: compact)))
        }
        return Answer(tokens: tokens, moreAvailable: moreAvailable)
    }
}
