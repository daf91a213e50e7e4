/// Whether a request may be sent once more after its connection to the upstream has failed.
///
/// An upstream closes idle connections when it likes, so a reused one may die under a request that it never read. A request
/// is repeated only then: once, on a new connection, when not a byte of an answer has come and when nothing can happen twice.
public enum RetryRule {
    /// Whether to repeat.
    ///
    /// - Parameters:
    ///   - wasReused: the connection had served an earlier request.
    ///   - answerBegan: any byte of an answer has come.
    ///   - isRepeatable: the request has no content and its method is idempotent (RFC 9110 §9.2.2).
    ///   - attempts: how often it has been sent already.
    public static func repeats(wasReused: Bool, answerBegan: Bool, isRepeatable: Bool, attempts: Int) -> Bool {
        wasReused && !answerBegan && isRepeatable && attempts == 1
    }
}
