/// Reads the section `limits`.
enum LimitsSection {
    private static let keys = [
        "connections", "connections_per_client", "header_bytes", "header_count", "body_bytes", "streams", "token_bytes",
        "chain_bytes", "proof_bytes",
    ]

    static func read(_ reader: DocumentReader?) -> Limits {
        var limits = Limits()
        guard let section = reader?.section(keys) else { return limits }
        func number(_ key: String, in range: ClosedRange<Int>, into value: inout Int) {
            value = section.optional(key)?.number(in: range) ?? value
        }
        func size(_ key: String, in range: ClosedRange<UInt64>, into value: inout Int) {
            value = section.optional(key)?.size(in: range).map { Int($0) } ?? value
        }
        number("connections", in: 1...1_000_000, into: &limits.connections)
        number("connections_per_client", in: 0...1_000_000, into: &limits.connectionsPerClient)
        size("header_bytes", in: 1 << 10...1 << 20, into: &limits.headerBytes)
        number("header_count", in: 1...1000, into: &limits.headerCount)
        limits.bodyBytes = section.optional("body_bytes")?.size(in: 0...(1 << 60)) ?? limits.bodyBytes
        number("streams", in: 1...10_000, into: &limits.streams)
        size("token_bytes", in: 256...1 << 16, into: &limits.tokenBytes)
        size("proof_bytes", in: 256...1 << 16, into: &limits.proofBytes)
        if limits.tokenBytes >= limits.headerBytes {
            (section.optional("token_bytes") ?? section.optional("header_bytes"))?.refuse(
                "a token of \(limits.tokenBytes) bytes does not fit into header_bytes (\(limits.headerBytes)); "
                    + "raise header_bytes or lower token_bytes")
        }
        readChainBytes(section, into: &limits)
        return limits
    }

    /// A chain comes in a field beside the token: without a limit of its own it has the room that the token leaves.
    private static func readChainBytes(_ section: SectionReader, into limits: inout Limits) {
        let room = limits.headerBytes - limits.tokenBytes
        guard let reader = section.optional("chain_bytes") else {
            limits.chainBytes = max(0, min(limits.chainBytes, room))
            return
        }
        guard let size = reader.size(in: 256...1 << 16).map({ Int($0) }) else { return }
        limits.chainBytes = size
        if size >= room {
            reader.refuse(
                "a chain of \(size) bytes and a token of \(limits.tokenBytes) do not fit into header_bytes "
                    + "(\(limits.headerBytes)); raise header_bytes or lower chain_bytes")
        }
    }
}
