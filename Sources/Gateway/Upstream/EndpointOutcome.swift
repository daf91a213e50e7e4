/// What a request that was sent to an endpoint teaches about the endpoint.
public enum EndpointOutcome: Equatable, Sendable {
    /// It works.
    case success
    /// It does not: no connection, no answer in time, a broken or malformed one, or an answer that says so.
    case failure
    /// Nothing: the client went away, or the gateway ended the call.
    case cancelled

    /// What an answer's status teaches.
    ///
    /// 502, 503 and 504 say that the endpoint cannot serve. Envoy counts every 5xx by default; here a 500 is no failure, for
    /// a client that knows a request which the service answers so could otherwise have one endpoint after the other ejected.
    public init(status: Int) {
        self = (502...504).contains(status) ? .failure : .success
    }
}
