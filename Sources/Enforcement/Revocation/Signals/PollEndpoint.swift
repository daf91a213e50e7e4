public import Bytes
public import Tokens

/// Where a transmitter of Shared Signals hands out its events when asked (RFC 8936).
public struct PollEndpoint: Equatable, Sendable {
    /// The URL to ask.
    public let url: String
    /// What `aud` of its events must name.
    public let audience: String
    /// The value of the field `Authorization`; nothing: none is sent.
    public let authorization: ClientSecret?
    /// How long to wait between two questions.
    public let pollInterval: Interval
    /// How long the transmitter may hold its answer until there is something to tell; nothing: it answers at once.
    public let longPoll: Interval?
    /// The PEM file of the authorities that may vouch for the server; nothing: the system's.
    public let authorityFile: String?

    /// How long an answer may take beside the time that the transmitter may hold it.
    public static let answerTime = Interval.seconds(5)

    /// Makes an endpoint.
    public init(
        url: String, audience: String, authorization: ClientSecret?, pollInterval: Interval, longPoll: Interval? = nil,
        authorityFile: String? = nil
    ) {
        self.url = url
        self.audience = audience
        self.authorization = authorization
        self.pollInterval = pollInterval
        self.longPoll = longPoll
        self.authorityFile = authorityFile
    }
}
