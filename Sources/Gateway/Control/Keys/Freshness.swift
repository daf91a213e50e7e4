import Bytes

/// How long an answer says that it stays fresh (RFC 9111 §4.2), by its fields alone.
enum Freshness {
    /// The time that is left: `max-age`, else `Expires` less `Date`, each less `Age`.
    ///
    /// - Returns: nothing where the answer does not say it, or says that no cache may keep it at all (`max-age=0`, an `Expires`
    ///   in the past): keys have to be kept, so how long is then ours to say.
    static func lifetime(_ fields: [String: String]) -> Interval? {
        guard let whole = maximumAge(fields["cache-control"]) ?? untilExpiry(fields), whole > .zero else { return nil }
        let age = fields["age"].flatMap(seconds) ?? .zero
        return max(.zero, Interval(nanoseconds: whole.nanoseconds - age.nanoseconds))
    }

    /// The shortest `max-age` of the directives.
    private static func maximumAge(_ directives: String?) -> Interval? {
        guard let directives else { return nil }
        return directives.split(separator: ",").compactMap { directive -> Interval? in
            let parts = directive.split(separator: "=", maxSplits: 1).map { Self.trimmed($0) }
            guard parts.count == 2, parts[0].lowercased() == "max-age" else { return nil }
            return seconds(parts[1].filter { $0 != "\"" })
        }.min()
    }

    private static func untilExpiry(_ fields: [String: String]) -> Interval? {
        guard let expires = fields["expires"].flatMap(DateReader.read),
            let date = fields["date"].flatMap(DateReader.read)
        else { return nil }
        return expires - date
    }

    /// A delta-seconds (RFC 9111 §1.2.2); one that is too large to count is very long.
    private static func seconds(_ text: String) -> Interval? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return .seconds(min(Int64(text) ?? .max, 1 << 31))
    }

    private static func trimmed(_ text: Substring) -> String {
        text.split(separator: " ").joined(separator: " ")
    }
}
