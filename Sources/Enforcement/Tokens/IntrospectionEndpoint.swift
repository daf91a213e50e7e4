public import Bytes

/// Where an issuer says whether a token is valid (RFC 7662 §2).
public struct IntrospectionEndpoint: Equatable, Sendable {
    /// The URL that tokens are sent to.
    public let url: String
    /// The name that the gateway bears there.
    public let clientID: String
    /// What proves that name.
    public let clientSecret: ClientSecret
    /// How long an answer counts; zero: for the call that asked only.
    public let cacheLifetime: Interval
    /// How long to wait for an answer.
    public let timeout: Interval
    /// The PEM file of the authorities that may vouch for the server; nothing: the system's.
    public let authorityFile: String?

    /// How long an answer counts where nothing is configured.
    public static let standardCacheLifetime = Interval.seconds(30)
    /// How long is waited where nothing is configured.
    public static let standardTimeout = Interval.seconds(2)

    /// Makes an endpoint.
    public init(
        url: String, clientID: String, clientSecret: ClientSecret,
        cacheLifetime: Interval = Self.standardCacheLifetime, timeout: Interval = Self.standardTimeout,
        authorityFile: String? = nil
    ) {
        self.url = url
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.cacheLifetime = cacheLifetime
        self.timeout = timeout
        self.authorityFile = authorityFile
    }
}

/// A client's secret; it shows itself to nobody who prints it.
public struct ClientSecret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The secret itself.
    public let bytes: [UInt8]

    /// Keeps a secret.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Nothing of the secret.
    public var description: String { "(secret)" }
    /// Nothing of the secret.
    public var debugDescription: String { description }
    /// Nothing of the secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
