/// The answer to an ``OutgoingRequest``, whatever its status.
public struct IncomingResponse: Sendable {
    /// The status, 200 to 599.
    public let status: Int
    /// The fields by their names in lower case; of several lines of one name the values are joined by `, ` (RFC 9110 §5.3).
    public let fields: [String: String]
    /// The content.
    public let body: [UInt8]

    /// Makes an answer.
    public init(status: Int, fields: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}
