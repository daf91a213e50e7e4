/// A request to a feed that is to be made now.
public struct FeedFetch: Sendable {
    /// The feed's name.
    public let feed: String
    /// The status list that is fetched; nothing: events are.
    public let list: String?
    /// What to ask.
    public let request: OutgoingRequest
    /// A number that no other fetch of the same feed has.
    public let number: UInt64
}

/// What became of a request to a feed.
public struct FeedAnswer: Sendable {
    /// The request.
    public let fetch: FeedFetch
    /// The answer, or why there is none.
    public let result: Result<IncomingResponse, RetrievalError>

    /// Puts both together.
    public init(fetch: FeedFetch, result: Result<IncomingResponse, RetrievalError>) {
        self.fetch = fetch
        self.result = result
    }
}
