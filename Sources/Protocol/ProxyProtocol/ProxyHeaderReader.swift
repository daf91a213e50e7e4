import Bytes

/// Reads the PROXY header at the start of a connection, as its bytes come in.
///
/// Only version 2 is read; a header must be whole, for a stream, and not contradict itself. It says who the client is, so it
/// may be read from peers alone that are trusted to say so.
public struct ProxyHeaderReader: ~Copyable {
    /// What the bytes so far are.
    public enum Reading: Equatable, Sendable {
        /// The start of a header; all bytes were taken.
        case needMore
        /// A header, with the last of the bytes that belong to it: what follows is the client's.
        case header(ProxyHeader, consumed: Int)
        /// No header, or a wrong one: the connection is not to be believed, nor kept.
        case malformed(ProxyFault)
    }

    /// The most that may follow the first 16 bytes: enough for what ``ProxyHeaderWriter`` writes of the longest SPIFFE ID.
    public static let maximumLength = 4096

    private var bytes = ByteQueue()

    /// Makes a reader of one connection.
    public init() {}

    /// Takes the next bytes; not to be called again after a header or a fault.
    public mutating func read(_ input: Span<UInt8>) -> Reading {
        var consumed = 0
        while true {
            switch Self.expectedByteCount(bytes.readable) {
            case .failure(let fault): return .malformed(fault)
            case .success(let expected):
                let missing = expected - bytes.count
                guard missing > 0 else { return finish(consumed: consumed) }
                let taken = min(missing, input.count - consumed)
                bytes.append(input.extracting(consumed..<consumed + taken))
                consumed += taken
                // What was taken may be wrong already.
                guard taken == missing else { return judgeStart() }
            }
        }
    }

    private func judgeStart() -> Reading {
        switch Self.expectedByteCount(bytes.readable) {
        case .failure(let fault): .malformed(fault)
        case .success: .needMore
        }
    }

    private mutating func finish(consumed: Int) -> Reading {
        do throws(ProxyFault) {
            let header = try ProxyHeader(bytes.readable)
            bytes.releaseStorage()
            return .header(header, consumed: consumed)
        } catch {
            return .malformed(error)
        }
    }

    /// How many bytes there must be, as far as those that are there tell.
    private static func expectedByteCount(_ bytes: Span<UInt8>) -> Result<Int, ProxyFault> {
        let signature = ProxyHeader.signature
        for index in 0..<min(bytes.count, signature.utf8CodeUnitCount)
        where bytes[index] != (unsafe signature.utf8Start[index]) {
            return .failure(.signature)
        }
        guard bytes.count >= ProxyHeader.fixedByteCount else { return .success(ProxyHeader.fixedByteCount) }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        guard length <= maximumLength else { return .failure(.tooLong) }
        return .success(ProxyHeader.fixedByteCount + length)
    }
}

/// Why bytes are not a PROXY header that is accepted.
public enum ProxyFault: Error, Equatable, Sendable {
    /// The checksum is not that of the header.
    case checksum
    /// The version is not 2, or there is no such command.
    case command
    /// The addresses are not of a stream, or there is no such family.
    case family
    /// The header ends within an address or a field, or names a field twice that may be there once.
    case fields
    /// It does not begin as a header does.
    case signature
    /// It is longer than a header may be.
    case tooLong

    /// What the record of the refused connection says: stable and dotted.
    public var reason: String {
        switch self {
        case .checksum: "proxy.checksum"
        case .command: "proxy.command"
        case .family: "proxy.family"
        case .fields: "proxy.fields"
        case .signature: "proxy.signature"
        case .tooLong: "proxy.too-long"
        }
    }
}

extension ProxyHeader {
    /// Reads a whole header.
    fileprivate init(_ bytes: Span<UInt8>) throws(ProxyFault) {
        switch bytes[12] {
        case Self.version:
            // LOCAL: the rest is to be passed over, whatever it says.
            addresses = nil
        case Self.version | 1:
            guard let family = ProxyFamily(rawValue: bytes[13]) else { throw .family }
            let fields = Self.fixedByteCount + family.addressByteCount
            guard fields <= bytes.count else { throw .fields }
            // Without a family nobody knows where addresses would end and fields begin.
            if family != .unspecified { try Self.checkFields(bytes, from: fields) }
            addresses = Self.addresses(bytes, family)
        default:
            throw .command
        }
    }

    private static func addresses(_ bytes: Span<UInt8>, _ family: ProxyFamily) -> ProxyAddresses? {
        func word(_ offset: Int, _ count: Int) -> UInt64 {
            (0..<count).reduce(0) { $0 << 8 | UInt64(bytes[fixedByteCount + offset + $1]) }
        }
        func endpoint(_ address: NetworkAddress, portAt offset: Int) -> NetworkEndpoint {
            NetworkEndpoint(address.unmapped, port: UInt16(word(offset, 2)))
        }
        switch family {
        case .tcp4:
            return ProxyAddresses(
                source: endpoint(.ipv4(UInt32(word(0, 4))), portAt: 8),
                destination: endpoint(.ipv4(UInt32(word(4, 4))), portAt: 10))
        case .tcp6:
            return ProxyAddresses(
                source: endpoint(.ipv6(word(0, 8), word(8, 8)), portAt: 32),
                destination: endpoint(.ipv6(word(16, 8), word(24, 8)), portAt: 34))
        case .unixStream, .unspecified:
            return nil
        }
    }

    /// Checks that the fields fill what is left of the header, and the checksum where there is one.
    ///
    /// What they say beyond that is not used: whoever connects shows in the handshake who it is.
    private static func checkFields(_ bytes: Span<UInt8>, from start: Int) throws(ProxyFault) {
        var offset = start
        var checksum: Int?
        while offset < bytes.count {
            guard bytes.count - offset >= 3 else { throw .fields }
            let length = Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2])
            guard length <= bytes.count - offset - 3 else { throw .fields }
            if bytes[offset] == ProxyField.checksum {
                guard length == 4, checksum == nil else { throw .fields }
                checksum = offset + 3
            }
            offset += 3 + length
        }
        if let checksum { try verify(bytes, checksumAt: checksum) }
    }

    private static func verify(_ bytes: Span<UInt8>, checksumAt place: Int) throws(ProxyFault) {
        var sum = CRC32C()
        var written: UInt32 = 0
        for index in bytes.indices {
            let isChecksum = (place..<place + 4).contains(index)
            if isChecksum { written = written << 8 | UInt32(bytes[index]) }
            sum.add(isChecksum ? 0 : bytes[index])
        }
        guard sum.value == written else { throw .checksum }
    }
}
