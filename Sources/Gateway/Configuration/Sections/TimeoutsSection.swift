import Bytes

/// Reads the section `timeouts`.
enum TimeoutsSection {
    private static let keys = [
        "handshake", "head", "idle", "upstream_connect", "upstream_response", "drain", "drain_notice",
    ]
    private static let shortest = Interval.milliseconds(1)
    private static let longest = Interval.seconds(24 * 3600)

    static func read(_ reader: DocumentReader?) -> Timeouts {
        var timeouts = Timeouts()
        guard let section = reader?.section(keys) else { return timeouts }
        func duration(_ key: String, from lowest: Interval = shortest, into value: inout Interval) {
            value = section.optional(key)?.duration(in: lowest...longest) ?? value
        }
        duration("handshake", into: &timeouts.handshake)
        duration("head", into: &timeouts.head)
        duration("idle", into: &timeouts.idle)
        duration("upstream_connect", into: &timeouts.upstreamConnect)
        duration("upstream_response", into: &timeouts.upstreamResponse)
        duration("drain", from: .zero, into: &timeouts.drain)
        duration("drain_notice", from: .zero, into: &timeouts.drainNotice)
        return timeouts
    }
}
