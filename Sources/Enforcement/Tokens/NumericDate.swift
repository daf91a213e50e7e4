public import Bytes
public import JSON

/// A time as JWTs write it: seconds since 1970 as a JSON number, whole or not (RFC 7519 §2).
public enum NumericDate {
    private static let latest: Int64 = 9_000_000_000

    /// The time that `value` is, between 1970 and 2255; nothing of anything else, a string of digits among it.
    public static func time(_ value: JSONValue) -> UnixTime? {
        if let seconds = value.integer {
            return 0...latest ~= seconds ? UnixTime(seconds: seconds) : nil
        }
        guard let seconds = value.number, 0...Double(latest) ~= seconds else { return nil }
        return UnixTime(nanoseconds: Int64(seconds * 1_000_000_000))
    }
}
