public import Bytes
public import Cryptography

/// What a look at a source of revocation lists has brought.
public enum RevocationListReading: Sendable {
    /// Nothing, for that reason.
    case failed(String)
    /// These lists; the entity tag is that of the answer, if they were fetched and it had one.
    case lists([CertificateRevocationList], entityTag: String?)
    /// What was there the last time.
    case unchanged

    /// Reads the bytes of a file.
    public init(file bytes: [UInt8]) {
        self.init(bytes, entityTag: nil)
    }

    /// Reads the answer of a server.
    public init(_ result: Result<IncomingResponse, RetrievalError>) {
        switch result {
        case .failure(let error): self = .failed(error.description)
        case .success(let response) where response.status == 304: self = .unchanged
        case .success(let response) where response.status == 200:
            self.init(response.body, entityTag: Self.entityTag(of: response))
        case .success(let response): self = .failed(RetrievalError.status(response.status).description)
        }
    }

    private init(_ bytes: [UInt8], entityTag: String?) {
        do throws(RevocationListError) {
            self = .lists(try CertificateRevocationList.all(in: bytes.span), entityTag: entityTag)
        } catch {
            self = .failed("a list \(error)")
        }
    }

    /// The entity tag (RFC 9110 §8.8.3), where it can be sent back as it is.
    private static func entityTag(of response: IncomingResponse) -> String? {
        guard let tag = response.fields["etag"], tag.utf8.count <= 256,
            tag.hasPrefix("\"") || tag.hasPrefix("W/\""), tag.hasSuffix("\""),
            tag.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return tag
    }
}

/// What a source's lists are after a look, and what the operator should know of it.
public struct RevocationListOutcome: Equatable, Sendable {
    /// Whether other lists are to be judged by from now on.
    public var hasChanged = false
    /// Why nothing came of it, where that is no old story.
    public var failure: String?
    /// The issuers whose list was older than the one that is known already, which stays.
    public var older: [String] = []
    /// The issuers who have no list there any more.
    public var dropped: [String] = []
}

/// How a source of revocation lists is doing.
public struct RevocationListStatus: Equatable, Sendable {
    /// The file or the URL.
    public let location: String
    /// How long ago its lists were last known to be current there; nothing where they were never read.
    public let age: Interval?
    /// Whether a list has expired.
    public let isExpired: Bool
    /// How many certificates are listed.
    public let entries: Int
    /// The first moment at which a list expires.
    public let nextUpdate: UnixTime?
    /// Why the last look failed; nothing where it did not.
    public let lastFailure: String?
}
