import Bytes

/// The keys that seal session tickets: one that seals new ones, and the one before, which still opens them.
///
/// Immutable and shared by all workers, so that a ticket of one is taken by every other. Rotated by replacing the whole:
/// once a key is gone, nobody who steals it or the machine later can open what it sealed, and a ticket is never older
/// than two rotations.
public final class TicketKeys: Sendable {
    /// How many random bytes a new key is made of.
    public static let entropyByteCount = TicketKey.byteCount

    let current: TicketKey
    let previous: TicketKey?

    /// Makes the first key.
    ///
    /// - Parameter entropy: ``entropyByteCount`` unpredictable bytes.
    public init(entropy: [UInt8]) {
        current = TicketKey(entropy)
        previous = nil
    }

    private init(current: TicketKey, previous: TicketKey) {
        self.current = current
        self.previous = previous
    }

    /// Keys with a new one in front; the present one goes on opening tickets, and the one before it is forgotten.
    ///
    /// - Parameter entropy: ``entropyByteCount`` unpredictable bytes.
    public func rotated(entropy: [UInt8]) -> TicketKeys {
        TicketKeys(current: TicketKey(entropy), previous: current)
    }

    /// The key of that name, and whether tickets under it should be renewed.
    func key(named name: Span<UInt8>) -> (key: TicketKey, isOld: Bool)? {
        let current = current
        if name.equals(current.name.span) { return (current, false) }
        guard let previous, name.equals(previous.name.span) else { return nil }
        return (previous, true)
    }
}

/// One key: a name that stands before each ticket, an AES-256 key and an HMAC-SHA-256 key (RFC 5077 §4).
struct TicketKey: Sendable {
    static let nameByteCount = 16
    static let secretByteCount = 32
    static let byteCount = nameByteCount + 2 * secretByteCount

    let name: [UInt8]
    let cipherKey: [UInt8]
    let authenticationKey: [UInt8]

    init(_ entropy: [UInt8]) {
        precondition(entropy.count == Self.byteCount, "a ticket key is made of \(Self.byteCount) bytes")
        name = Array(entropy[..<Self.nameByteCount])
        cipherKey = Array(entropy[Self.nameByteCount..<Self.nameByteCount + Self.secretByteCount])
        authenticationKey = Array(entropy[(Self.nameByteCount + Self.secretByteCount)...])
    }
}
