public import Bytes

/// Where the keys of an issuer come from, or what is asked in their place.
public enum KeySource: Equatable, Sendable {
    /// A file that was read with the configuration.
    case file
    /// A URL that is fetched again and again.
    case url(KeySetLocation)
    /// No keys: the issuer itself says whether a token is valid (RFC 7662).
    case introspection(IntrospectionEndpoint)
}

/// Where an issuer publishes its keys, and how long they are trusted (RFC 7517 §5).
public struct KeySetLocation: Equatable, Sendable {
    /// The URL of the JWK Set.
    public let url: String
    /// How often to look for new keys, where the answer does not say it.
    public let refreshInterval: Interval
    /// How old the keys may become while the source does not answer.
    public let maximumStaleness: Interval
    /// The PEM file of the authorities that may vouch for the server; nothing: the system's.
    public let authorityFile: String?

    /// How often is looked for keys where nothing is configured.
    public static let standardRefreshInterval = Interval.seconds(300)
    /// How old keys may become where nothing is configured.
    public static let standardMaximumStaleness = Interval.seconds(24 * 3600)

    /// Makes a location.
    public init(
        url: String, refreshInterval: Interval = Self.standardRefreshInterval,
        maximumStaleness: Interval = Self.standardMaximumStaleness, authorityFile: String? = nil
    ) {
        self.url = url
        self.refreshInterval = refreshInterval
        self.maximumStaleness = maximumStaleness
        self.authorityFile = authorityFile
    }
}
