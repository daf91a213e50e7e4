public import Bytes

/// A request that the gateway itself makes.
public struct OutgoingRequest: Sendable, CustomStringConvertible {
    /// What is asked for.
    public enum Method: String, Sendable {
        /// Reads.
        case get = "GET"
        /// Hands something in.
        case post = "POST"
    }

    /// An absolute `https` URL without user information.
    public let url: String
    /// What is asked for; only POST has a body.
    public let method: Method
    /// The fields beside those that the message itself needs.
    public let fields: [(name: String, value: String)]
    /// The content of a POST.
    public let body: [UInt8]
    /// The PEM file of the only authorities that may vouch for the server; nothing: the system's.
    public let authorityFile: String?
    /// How long all of it may take, waiting for a place included.
    public let timeout: Interval
    /// The most bytes that the answer's body may have.
    public let responseLimit: Int
    /// Whether the URL may also be `http`: anybody on the way can then forge the answer.
    public let dangerouslyAllowsPlainHTTP: Bool

    /// Makes a request.
    public init(
        url: String, method: Method = .get, fields: [(name: String, value: String)] = [], body: [UInt8] = [],
        authorityFile: String? = nil, timeout: Interval, responseLimit: Int, dangerouslyAllowsPlainHTTP: Bool = false
    ) {
        self.url = url
        self.method = method
        self.fields = fields
        self.body = body
        self.authorityFile = authorityFile
        self.timeout = timeout
        self.responseLimit = responseLimit
        self.dangerouslyAllowsPlainHTTP = dangerouslyAllowsPlainHTTP
    }

    /// Method and URL; fields and body may hold secrets.
    public var description: String { "\(method.rawValue) \(url)" }

    /// The scheme and the authority, in lower case: what a connection is made for.
    ///
    /// - Throws: ``RetrievalError/request(_:)`` where the request may not be made at all.
    func origin() throws(RetrievalError) -> String {
        guard let colon = url.firstRange(of: "://") else { throw .request("the URL is not absolute") }
        let scheme = url[..<colon.lowerBound].lowercased()
        guard scheme == "https" || scheme == "http" && dangerouslyAllowsPlainHTTP else {
            throw .request("the URL is not https")
        }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw .request("the URL has a character that URLs do not have")
        }
        for (name, value) in fields {
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }),
                value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else { throw .request("a field has a character that fields do not have") }
        }
        let authority = url[colon.upperBound...].prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.contains("@") else {
            throw .request("the URL has no host, or user information")
        }
        return scheme + "://" + authority.lowercased()
    }
}
