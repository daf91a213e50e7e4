import Bytes

/// What we put into a ticket beside OpenSSL's session: sealed with it, so nobody else can read or change it.
struct TicketContents: Equatable {
    private static let version: UInt8 = 1

    /// When the client proved, in a full handshake, to hold its key; resuming does not move it.
    let authenticatedAt: UnixTime
    /// The host that the client named, in lower case; empty: none.
    let serverName: [UInt8]
    /// The certificates that came behind the client's own, in DER: OpenSSL keeps only the leaf.
    let chain: [[UInt8]]

    init(authenticatedAt: UnixTime, serverName: String?, chain: [[UInt8]]) {
        self.authenticatedAt = authenticatedAt
        self.serverName = Self.folded(serverName)
        self.chain = chain
    }

    /// Whether `name` is the host that the ticket was made for (RFC 6066 §3).
    func isFor(_ name: String?) -> Bool {
        serverName == Self.folded(name)
    }

    private static func folded(_ name: String?) -> [UInt8] {
        (name ?? "").utf8.map(\.asciiLowercased)
    }

    /// The bytes: version, time in nanoseconds, then each text with its length before it.
    var encoded: [UInt8] {
        var bytes = [Self.version]
        Self.append(UInt64(bitPattern: authenticatedAt.nanoseconds), bytes: 8, to: &bytes)
        for text in [serverName] + chain {
            Self.append(UInt64(text.count), bytes: 4, to: &bytes)
            bytes += text
        }
        return bytes
    }

    /// Reads the bytes, or nothing where they are not whole.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 9, bytes[0] == Self.version else { return nil }
        authenticatedAt = UnixTime(nanoseconds: Int64(bitPattern: Self.number(bytes.extracting(1..<9))))
        var texts: [[UInt8]] = []
        var start = 9
        while start < bytes.count {
            guard bytes.count - start >= 4 else { return nil }
            let count = Int(Self.number(bytes.extracting(start..<start + 4)))
            start += 4
            guard bytes.count - start >= count else { return nil }
            texts.append(Array(copying: bytes.extracting(start..<start + count)))
            start += count
        }
        guard let first = texts.first else { return nil }
        serverName = first
        chain = Array(texts.dropFirst())
    }

    private static func append(_ number: UInt64, bytes count: Int, to bytes: inout [UInt8]) {
        for index in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }

    private static func number(_ bytes: Span<UInt8>) -> UInt64 {
        var number: UInt64 = 0
        for index in bytes.indices { number = number << 8 | UInt64(bytes[index]) }
        return number
    }
}
