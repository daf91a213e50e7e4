public import Bytes

/// Where an issuer publishes its status lists, and how they are fetched.
public struct StatusListLocation: Equatable, Sendable {
    /// The URIs of the lists.
    public let pattern: StatusListPattern
    /// How often each is fetched, unless its issuer wants it oftener.
    public let refreshInterval: Interval
    /// The PEM file of the authorities that may vouch for the server; nothing: the system's.
    public let authorityFile: String?

    /// Makes a location.
    public init(pattern: StatusListPattern, refreshInterval: Interval, authorityFile: String? = nil) {
        self.pattern = pattern
        self.refreshInterval = refreshInterval
        self.authorityFile = authorityFile
    }
}
