public import Bytes

/// A verified status list: what an issuer says of each of its tokens (Token Status List §4).
///
/// Only ``StatusListToken`` can make it.
public struct StatusList: Sendable {
    /// The URI that tokens name it by.
    public let uri: String
    /// How many bits a status has: 1, 2, 4 or 8.
    public let bits: Int
    /// When it was issued.
    public let issuedAt: UnixTime
    /// From when on it must not be used; nothing: its issuer does not say.
    public let expiresAt: UnixTime?
    /// How long its issuer wants it to be kept at most; nothing: it does not say.
    public let timeToLive: Interval?
    /// The statuses, packed from the least significant bit of each byte on.
    private let bytes: [UInt8]

    /// The number of statuses.
    public var count: Int { bytes.count * (8 / bits) }

    init(
        uri: String, bits: Int, bytes: [UInt8], issuedAt: UnixTime, expiresAt: UnixTime? = nil,
        timeToLive: Interval? = nil
    ) {
        self.uri = uri
        self.bits = bits
        self.bytes = bytes
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.timeToLive = timeToLive
    }

    /// The status at a place; nothing where the list has no such place.
    public func status(at index: Int) -> UInt8? {
        guard index >= 0, index < count else { return nil }
        let offset = index * bits
        let mask = UInt8(truncatingIfNeeded: (1 << bits) - 1)
        return bytes[offset / 8] >> UInt8(offset % 8) & mask
    }
}
