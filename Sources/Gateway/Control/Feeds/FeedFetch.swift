public import Bytes
public import Cryptography
public import Revocation

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
    public private(set) var result: Result<IncomingResponse, RetrievalError>
    /// The list that it brings, where that was verified already.
    private var list: Result<StatusList, StatusListFault>?

    /// Puts both together.
    public init(fetch: FeedFetch, result: Result<IncomingResponse, RetrievalError>) {
        self.fetch = fetch
        self.result = result
    }

    /// Verifies the status list that the answer brings, if it brings one, and lets its text go.
    ///
    /// That of a long list takes long: not for a thread that others wait for.
    public mutating func verifyList(by signer: FeedSigner, engine: CryptographicEngine, now: UnixTime) {
        guard fetch.list != nil, case .success(let response) = result, response.status == 200 else { return }
        list = verifiedList(by: signer, engine: engine, now: now)
        result = .success(IncomingResponse(status: response.status, fields: response.fields))
    }

    /// The list as it was verified, or is now.
    func verifiedList(
        by signer: FeedSigner, engine: CryptographicEngine, now: UnixTime
    ) -> Result<StatusList, StatusListFault> {
        if let list { return list }
        guard let uri = fetch.list, case .success(let response) = result else { return .failure(.subject) }
        return Result { () throws(StatusListFault) in
            try StatusListToken.verify(response.body.span, uri: uri, by: signer, engine: engine, now: now)
        }
    }
}
