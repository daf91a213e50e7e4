/// How often a request may be sent again where that is safe.
public struct RetrySettings: Equatable, Sendable {
    /// Further attempts of one request.
    public var attempts = 1
    /// Further attempts of all requests, in percent of the requests of the last ten seconds; three are always allowed.
    public var budget = 20

    /// Makes the default.
    public init() {}
}
