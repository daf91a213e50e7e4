public import Bytes
public import Tokens

/// Where a transmitter of Shared Signals delivers its events (RFC 8935).
public struct PushEndpoint: Equatable, Sendable {
    /// The name of the listener that has the endpoint.
    public let listener: String
    /// The path of the endpoint: no route sees requests for it.
    public let path: String
    /// What `aud` of its events must name.
    public let audience: String
    /// What the field `Authorization` must be; nothing: the field does not matter.
    public let authorization: ClientSecret?
    /// The longest time between two events, verification events included; nothing: silence says nothing.
    public let heartbeat: Interval?

    /// Makes an endpoint.
    public init(
        listener: String, path: String, audience: String, authorization: ClientSecret?, heartbeat: Interval? = nil
    ) {
        self.listener = listener
        self.path = path
        self.audience = audience
        self.authorization = authorization
        self.heartbeat = heartbeat
    }
}
