/// Whether a request may be sent once more after an attempt has failed.
///
/// Nothing may happen twice, so what counts is what the upstream can have seen. Where it can have seen nothing, or says so,
/// any request may be sent again; where it may have seen the request, only one that may be repeated; and none once a byte of
/// an answer has come, or after the wait for the answer was in vain: then the upstream is at work on it.
public enum RetryRule {
    /// How an attempt failed.
    public enum Failure: Equatable, Sendable {
        /// No connection was made, TLS included: nothing was sent.
        case unconnected
        /// The upstream says that it has not touched the request (RFC 9113 §8.7): REFUSED_STREAM, or a stream beyond GOAWAY's.
        case notProcessed
        /// The connection or stream ended before the answer.
        case broken
        /// The answer did not come in time.
        case timedOut
        /// What came is no answer.
        case malformed
    }

    /// What is known of a request when an attempt has failed.
    public struct Attempt: Equatable, Sendable {
        /// The request has no content and its method is idempotent (RFC 9110 §9.2.2).
        public var isRepeatable: Bool
        /// Content was given to the failed connection and is not kept.
        public var contentLeft: Bool
        /// A byte of an answer has come, an interim one included.
        public var answerBegan: Bool

        /// Says what is known.
        public init(isRepeatable: Bool, contentLeft: Bool, answerBegan: Bool) {
            self.isRepeatable = isRepeatable
            self.contentLeft = contentLeft
            self.answerBegan = answerBegan
        }
    }

    /// Whether nothing can happen twice, and nothing be missing, if the request is sent again.
    public static func allows(after failure: Failure, of attempt: Attempt) -> Bool {
        guard !attempt.answerBegan, !attempt.contentLeft else { return false }
        return switch failure {
        case .unconnected, .notProcessed: true
        case .broken: attempt.isRepeatable
        case .timedOut, .malformed: false
        }
    }
}
