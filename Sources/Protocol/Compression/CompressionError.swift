/// Why compressed data cannot be expanded.
public enum CompressionError: Error, Equatable, Sendable {
    /// It is no such data, or is damaged, cut off or followed by something else.
    case malformed
    /// It expands to more than is allowed.
    case tooLarge
    /// The library lacks memory.
    case exhausted
}
