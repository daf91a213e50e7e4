import Limits

/// Reads a section `limits` of a listener or a route.
enum RateLimitSection {
    private static let keys = ["requests_per_second", "burst", "concurrent", "bytes_per_second"]

    /// The limits, or nothing where something is wrong, of itself or with the name.
    static func read(_ reader: DocumentReader, of kind: LimitScope.Kind, named name: String?) -> LimitScope?? {
        let faultsBefore = reader.faults.faults.count
        guard let section = reader.section(keys + ["per_agent"]) else { return nil }
        let own = readLimit(section)
        let perAgent = section.optional("per_agent").map { $0.section(keys).flatMap(readLimit) ?? nil } ?? .some(nil)
        guard let own, let perAgent, let name else { return nil }
        guard own != nil || perAgent != nil else {
            // A key that was misspelt has been told of already.
            guard reader.faults.faults.count == faultsBefore else { return nil }
            reader.refuse("nothing is limited; write \(DocumentReader.alternatives(keys + ["per_agent"]))")
            return nil
        }
        return LimitScope(kind, name: name, settings: LimitSettings(own: own, perAgent: perAgent))
    }

    /// The limit that the keys of one section make; the outer optional tells whether they were understood.
    private static func readLimit(_ section: SectionReader) -> RateLimit?? {
        let numbers = 1...1_000_000
        let rate =
            section.optional("requests_per_second").map { $0.number(in: numbers).map(Optional.some) } ?? .some(nil)
        let burst = section.optional("burst").map { $0.number(in: numbers).map(Optional.some) } ?? .some(nil)
        let concurrent = section.optional("concurrent").map { $0.number(in: numbers).map(Optional.some) } ?? .some(nil)
        let bytes =
            section.optional("bytes_per_second").map { $0.size(in: 1 << 10...1 << 40).map(Optional.some) } ?? .some(nil)
        guard let rate, let burst, let concurrent, let bytes else { return nil }
        if let reader = section.optional("burst"), rate == nil {
            reader.refuse("a burst is of a rate; write requests_per_second beside it")
            return nil
        }
        guard rate != nil || concurrent != nil || bytes != nil else { return .some(nil) }
        return RateLimit(requestsPerSecond: rate, burst: burst, concurrent: concurrent, bytesPerSecond: bytes)
    }
}
