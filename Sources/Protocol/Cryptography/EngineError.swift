/// Why cryptography is not to be had on this thread.
public enum EngineError: Error, Equatable, Sendable {
    /// OpenSSL does not offer the named algorithm: a provider is missing.
    case unavailable(String)
    /// OpenSSL could not allocate a context.
    case exhausted
}
