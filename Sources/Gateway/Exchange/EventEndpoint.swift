public import Bytes
public import HTTP
import JSON
public import Tokens

/// Where a transmitter of security events pushes them to on a listener (RFC 8935 §2.1).
public struct EventEndpoint: Equatable, Sendable {
    /// The name of the feed that they belong to.
    public let feed: String
    /// The path, in the one form that requests are judged in.
    public let path: String
    /// What the field `Authorization` must be; nothing: it does not matter.
    let authorization: ClientSecret?

    /// The most bytes of one event.
    public static let bodyLimit = 64 << 10

    /// Makes an endpoint.
    public init(feed: String, path: String, authorization: ClientSecret? = nil) {
        self.feed = feed
        self.path = path
        self.authorization = authorization
    }
}

extension EventEndpoint {
    /// Whether the value of the `Authorization` field is the one that is expected.
    fileprivate func isAuthorized(by value: String?) -> Bool {
        guard let authorization else { return true }
        guard let value else { return false }
        return authorization.bytes.span.equalsInConstantTime(value.utf8.span)
    }
}

/// A security event on its way in: its content is gathered, and then the control side is asked what it thinks of it.
public struct EventReception: Equatable, Sendable {
    /// The name of the feed.
    public let feed: String
    /// The value of the `Authorization` field, if there is one.
    public let authorization: String?
    /// Whether that is what it must be.
    public let isAuthorized: Bool
    /// Whether the content is said to be a security event token.
    public let isOfRightType: Bool
    /// The content so far.
    public private(set) var body: [UInt8] = []

    /// Takes content in; false where it is more than an event may have.
    public mutating func append(_ bytes: Span<UInt8>) -> Bool {
        guard body.count + bytes.count <= EventEndpoint.bodyLimit else { return false }
        body.append(contentsOf: Array(copying: bytes))
        return true
    }
}

extension EventReception {
    /// Begins to take in what a request brings to an endpoint.
    init(_ endpoint: EventEndpoint, request: borrowing RequestHead) {
        feed = endpoint.feed
        let authorization = request.fields.lineCount(of: .authorization) == 1
        self.authorization =
            authorization
            ? request.fields.firstIndex(of: .authorization).flatMap { String(validating: request.fields.value($0)) }
            : nil
        isAuthorized = endpoint.isAuthorized(by: self.authorization)
        var isOfRightType = false
        if let line = request.fields.firstIndex(of: .contentType) {
            isOfRightType = request.fields.value(line).equalsIgnoringCase("application/secevent+jwt")
        }
        self.isOfRightType = isOfRightType
    }
}

/// What a transmitter is told of its event (RFC 8935 §2.2 to §2.4).
public struct EventAnswer: Equatable, Sendable {
    /// 202, or why not.
    public let status: UInt16
    /// The error code of §2.4, where there is one.
    public let error: String?
    /// What it means, for people.
    public let description: String?

    /// The event is taken, durable, and enforced.
    public static let accepted = EventAnswer(status: 202)

    /// Who sent it has not shown what the transmitter must show.
    public static let unauthorized = EventAnswer(
        status: 401, error: "authentication_failed", description: "the authorization is missing or wrong")

    /// It does not say that it is a security event token.
    public static let wrongType = EventAnswer(
        status: 400, error: "invalid_request", description: "the content is no application/secevent+jwt")

    /// Makes an answer.
    public init(status: UInt16, error: String? = nil, description: String? = nil) {
        self.status = status
        self.error = error
        self.description = description
    }
}

extension Exchange {
    /// Writes the answer to a security event.
    public mutating func fill(_ head: inout ResponseHead, _ body: inout ByteQueue, event: EventAnswer) {
        head.removeAll()
        body.removeAll()
        head.status = event.status
        if let error = event.error {
            body.append("{\"err\":")
            body.append(jsonString: error)
            body.append(",\"description\":")
            body.append(jsonString: event.description ?? "")
            body.append("}")
            head.fields.append(.contentType, value: "application/json".utf8.span)
            head.fields.append(literal: "content-language", value: "en".utf8.span)
        }
        head.framing = .length(UInt64(body.count))
        head.fields.append(.cacheControl, value: "no-store".utf8.span)
        addRequestIdentifier(to: &head)
    }
}
