public import Identity

/// Something that an event takes back.
public struct SignalTarget: Equatable, Sendable {
    /// What kind of thing it is.
    public let level: RevocationLevel
    /// What it is called there.
    public let value: String
    /// Whose it is, where that matters: the issuer of a token, or of a certificate that is named by its serial number.
    public let issuer: String?

    /// Names a thing.
    public init(_ level: RevocationLevel, _ value: String, issuer: String? = nil) {
        self.level = level
        self.value = value
        self.issuer = issuer
    }
}
