/// Why a gateway could not start; one sentence that says what to do.
public struct GatewayError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
