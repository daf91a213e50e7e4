import COpenSSL

/// Why a TLS context or session could not be made, or ended.
public struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried and, where OpenSSL told, why it failed.
    public let description: String

    /// Makes an error with a reason of our own.
    public init(_ description: String) {
        self.description = description
    }

    /// Whether the peer presented no certificate where one is required.
    public var isMissingCertificate: Bool { description.hasSuffix("peer did not return a certificate") }

    /// Takes the oldest reason from this thread's OpenSSL queue and empties the queue.
    static func drained(_ action: StaticString) -> TLSError {
        let code = ERR_peek_error()
        ERR_clear_error()
        guard code != 0, let reason = unsafe ERR_reason_error_string(code) else { return TLSError("\(action)") }
        return TLSError("\(action): \(unsafe String(cString: reason))")
    }
}
