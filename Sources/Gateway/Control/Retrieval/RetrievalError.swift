/// Why there is no answer, or none that can be used.
public enum RetrievalError: Error, Equatable, Sendable {
    /// The server could not be reached, or the connection broke, for that reason.
    case connection(String)
    /// The answer is not of the type that was asked for.
    case contentType
    /// The library failed for that reason.
    case library(String)
    /// Too many requests wait already.
    case overloaded
    /// The request may not be made, for that reason.
    case request(String)
    /// The answer has another status than the one that counts.
    case status(Int)
    /// The retriever was stopped.
    case stopped
    /// The time was over.
    case timedOut
    /// The answer is larger than allowed.
    case tooLarge
    /// There is no TLS connection to who should be there, for that reason: the certificate, the version.
    case untrusted(String)
}

extension RetrievalError: CustomStringConvertible {
    /// One phrase for the operator; nothing of what was sent.
    public var description: String {
        switch self {
        case .connection(let reason): "no connection: \(reason)"
        case .contentType: "the answer is not of the type that was asked for"
        case .library(let reason): "no request could be made: \(reason)"
        case .overloaded: "too many requests wait"
        case .request(let reason): "the request may not be made: \(reason)"
        case .status(let status): "the answer was \(status)"
        case .stopped: "the gateway stops"
        case .timedOut: "no answer in time"
        case .tooLarge: "the answer is too large"
        case .untrusted(let reason): "the server could not be verified: \(reason)"
        }
    }
}
