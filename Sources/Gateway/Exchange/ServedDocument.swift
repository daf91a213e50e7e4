/// A document that the gateway answers itself, the same for everybody: it is no secret.
public struct ServedDocument: Equatable, Sendable {
    /// The path that it is found at.
    public let path: String
    /// Its media type.
    public let contentType: String
    /// Its content.
    public let body: [UInt8]

    /// Makes a document.
    public init(path: String, contentType: String, body: [UInt8]) {
        self.path = path
        self.contentType = contentType
        self.body = body
    }
}
