import Bytes
import Testing

@testable import ProxyProtocol

/// Headers as HAProxy's proxy-protocol.txt §2.2 lays them out, written by hand.
enum Header {
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// 192.0.2.1:54321 to 198.51.100.2:443.
    static let addresses4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0xD4, 0x31, 0x01, 0xBB]
    /// [2001:db8::1]:54321 to [2001:db8::2]:443.
    static let addresses6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        + [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] + [0xD4, 0x31, 0x01, 0xBB]

    static let source4 = NetworkEndpoint(.ipv4(0xC000_0201), port: 54321)
    static let source6 = NetworkEndpoint(.ipv6(0x2001_0DB8_0000_0000, 1), port: 54321)

    static func bytes(_ command: UInt8, _ family: UInt8, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? body.count
        return signature + [command, family, UInt8(length >> 8), UInt8(length & 255)] + body
    }

    static func tlv(_ kind: UInt8, _ value: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? value.count
        return [kind, UInt8(length >> 8), UInt8(length & 255)] + value
    }

    /// A TCP4 header with fields before a checksum of them.
    static func summed(_ fields: [UInt8] = [], flipping bit: UInt32 = 0, then rest: [UInt8] = []) -> [UInt8] {
        let body = addresses4 + fields
        var whole = bytes(0x21, 0x11, body + tlv(0x03, [0, 0, 0, 0]) + rest)
        var sum = CRC32C()
        sum.add(whole.span)
        let place = 16 + body.count + 3
        for index in 0..<4 {
            whole[place + index] = UInt8(truncatingIfNeeded: (sum.value ^ bit) >> UInt32(24 - 8 * index))
        }
        return whole
    }
}

@Suite("Reading of PROXY headers")
struct ProxyHeaderReaderTests {
    private func read(_ bytes: [UInt8], following: [UInt8] = []) -> ProxyHeaderReader.Reading {
        var reader = ProxyHeaderReader()
        let input = bytes + following
        return reader.read(input.span)
    }

    private func source(_ bytes: [UInt8]) -> NetworkEndpoint?? {
        guard case .header(let header, let consumed) = read(bytes, following: [0x16, 3, 1]), consumed == bytes.count
        else { return nil }
        return .some(header.source)
    }

    @Test("TCP over IPv4 and IPv6 name both ends, and what follows is left alone")
    func addresses() {
        #expect(source(Header.bytes(0x21, 0x11, Header.addresses4)) == .some(Header.source4))
        #expect(source(Header.bytes(0x21, 0x21, Header.addresses6)) == .some(Header.source6))
        let reading = read(Header.bytes(0x21, 0x11, Header.addresses4))
        let destination = NetworkEndpoint(.ipv4(0xC633_6402), port: 443)
        let addresses = ProxyAddresses(source: Header.source4, destination: destination)
        #expect(reading == .header(ProxyHeader(addresses: addresses), consumed: 28))
    }

    @Test("An IPv4 address written as one of IPv6 is an IPv4 address")
    func mapped() {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1]
        let body = mapped + mapped + [0xD4, 0x31, 0x01, 0xBB]
        #expect(source(Header.bytes(0x21, 0x21, body)) == .some(Header.source4))
    }

    @Test(
        "Who speaks for itself, or does not tell, names nobody",
        arguments: [
            Header.bytes(0x20, 0x00, []), Header.bytes(0x20, 0x11, Header.addresses4),
            Header.bytes(0x20, 0xFF, [1, 2, 3]),
            Header.bytes(0x21, 0x00, []), Header.bytes(0x21, 0x00, [1, 2]),
            Header.bytes(0x21, 0x31, [UInt8](repeating: 47, count: 216)),
        ])
    func nobody(_ bytes: [UInt8]) {
        #expect(source(bytes) == .some(nil))
    }

    @Test("Fields of any kind may follow, whatever they say")
    func fields() {
        let fields =
            Header.tlv(0x01, Array("h2".utf8)) + Header.tlv(0x02, []) + Header.tlv(0x04, [0, 0])
            + Header.tlv(0x20, [1]) + Header.tlv(0xEE, [UInt8](repeating: 7, count: 300))
        #expect(source(Header.bytes(0x21, 0x11, Header.addresses4 + fields)) == .some(Header.source4))
    }

    @Test("A checksum holds wherever it stands")
    func checksum() {
        #expect(source(Header.summed()) == .some(Header.source4))
        #expect(
            source(Header.summed(Header.tlv(0x05, [1, 2, 3]), then: Header.tlv(0x04, [9]))) == .some(Header.source4))
    }

    @Test("A checksum with any bit wrong is refused", arguments: (0..<32).map { UInt32(1) << UInt32($0) })
    func wrongChecksum(_ bit: UInt32) {
        #expect(read(Header.summed(flipping: bit)) == .malformed(.checksum))
    }

    @Test("A header with a checksum and any byte changed is not read as another one")
    func damage() {
        let bytes = Header.summed(Header.tlv(0x05, [1, 2, 3]))
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            let reading = read(damaged, following: [0, 0])
            // The LOCAL command is told from the other by one bit, and says nothing; and a checksum that is called
            // something else is none.
            let isHarmless = index == 12 && reading == .header(ProxyHeader(addresses: nil), consumed: bytes.count)
            let isRefused = if case .malformed = reading { true } else { reading == .needMore }
            #expect(isHarmless || isRefused || index == 34, "\(index)")
        }
    }

    @Test(
        "What is wrong is refused for what is wrong",
        arguments: [
            (Header.bytes(0x11, 0x11, Header.addresses4), .command),
            (Header.bytes(0x22, 0x11, Header.addresses4), .command),
            (Header.bytes(0x31, 0x11, Header.addresses4), .command),
            (Header.bytes(0x2F, 0x11, Header.addresses4), .command),
            (Header.bytes(0x21, 0x12, Header.addresses4), .family),
            (Header.bytes(0x21, 0x22, Header.addresses6), .family),
            (Header.bytes(0x21, 0x32, [UInt8](repeating: 0, count: 216)), .family),
            (Header.bytes(0x21, 0x13, Header.addresses4), .family),
            (Header.bytes(0x21, 0x41, Header.addresses4), .family),
            (Header.bytes(0x21, 0x01, Header.addresses4), .family),
            (Header.bytes(0x21, 0xFF, Header.addresses4), .family),
            (Header.bytes(0x21, 0x11, []), .fields),
            (Header.bytes(0x21, 0x11, Array(Header.addresses4.dropLast())), .fields),
            (Header.bytes(0x21, 0x21, Header.addresses4), .fields),
            (Header.bytes(0x21, 0x31, [UInt8](repeating: 0, count: 215)), .fields),
            (Header.bytes(0x21, 0x11, Header.addresses4 + [4]), .fields),
            (Header.bytes(0x21, 0x11, Header.addresses4 + [4, 0]), .fields),
            (Header.bytes(0x21, 0x11, Header.addresses4 + Header.tlv(4, [1], length: 2)), .fields),
            (Header.bytes(0x21, 0x11, Header.addresses4 + Header.tlv(4, [1], length: 0xFFFF)), .fields),
            (Header.bytes(0x21, 0x11, Header.addresses4 + Header.tlv(3, [1, 2, 3])), .fields),
            (Header.bytes(0x21, 0x11, Header.addresses4 + Header.tlv(3, [])), .fields),
            (Header.summed(then: Header.tlv(3, [0, 0, 0, 0])), .fields),
            (Header.bytes(0x21, 0x11, [], length: ProxyHeaderReader.maximumLength + 1), .tooLong),
            (Header.bytes(0x20, 0x00, [], length: 0xFFFF), .tooLong),
            (Array("PROXY TCP4 192.0.2.1 198.51.100.2 54321 443\r\n".utf8), .signature),
            (Array("GET / HTTP/1.1\r\n\r\n".utf8), .signature), ([0x16, 3, 1, 2, 0, 1], .signature),
        ] as [([UInt8], ProxyFault)])
    func refused(_ bytes: [UInt8], _ fault: ProxyFault) {
        #expect(read(bytes) == .malformed(fault))
        #expect(fault.reason.hasPrefix("proxy."))
    }

    @Test("The longest header is read, one byte more is not")
    func longest() {
        let most = ProxyHeaderReader.maximumLength
        let padding = most - Header.addresses4.count - 3
        let longest = Header.bytes(0x21, 0x11, Header.addresses4 + Header.tlv(4, [UInt8](repeating: 0, count: padding)))
        #expect(source(longest) == .some(Header.source4))
        let longer = Header.bytes(
            0x21, 0x11, Header.addresses4 + Header.tlv(4, [UInt8](repeating: 0, count: padding + 1)))
        #expect(read(longer) == .malformed(.tooLong))
    }

    @Test("A wrong first byte is refused at once, and a wrong later one as soon as it is there")
    func early() {
        for index in Header.signature.indices {
            var wrong = Array(Header.signature[...index])
            wrong[index] ^= 0x20
            #expect(read(wrong) == .malformed(.signature))
            #expect(read(Array(Header.signature[...index])) == .needMore)
        }
    }

    @Test("Every way to cut a header in two is read the same")
    func cuts() {
        let bytes = Header.summed(Header.tlv(0x05, [1, 2, 3]))
        for cut in 0..<bytes.count {
            var reader = ProxyHeaderReader()
            let start = Array(bytes[..<cut])
            let rest = Array(bytes[cut...]) + [0x16]
            let first = reader.read(start.span)
            #expect(first == .needMore)
            let second = reader.read(rest.span)
            guard case .header(let header, let consumed) = second else {
                Issue.record("cut at \(cut): \(second)")
                continue
            }
            #expect(header.source == Header.source4)
            #expect(consumed == bytes.count - cut)
        }
    }

    @Test("A header that comes byte by byte is read with its last byte")
    func byteByByte() {
        let bytes = Header.bytes(0x21, 0x21, Header.addresses6)
        var reader = ProxyHeaderReader()
        for (index, byte) in bytes.enumerated() {
            let one = [byte]
            let reading = reader.read(one.span)
            if index + 1 < bytes.count {
                #expect(reading == .needMore)
            } else {
                let isHeader =
                    if case .header(let header, 1) = reading { header.source == Header.source6 } else { false }
                #expect(isHeader)
            }
        }
    }

    @Test(
        "Headers with anything changed are read the same in one piece and in many", arguments: [1, 2, 3, 4] as [UInt64])
    func mutated(_ seed: UInt64) {
        var random = Seeded(state: seed)
        let originals = [
            Header.bytes(0x21, 0x11, Header.addresses4), Header.bytes(0x21, 0x21, Header.addresses6),
            Header.bytes(0x20, 0, []), Header.summed(Header.tlv(2, [1, 2]), then: Header.tlv(4, [])),
            Header.bytes(0x21, 0x31, [UInt8](repeating: 65, count: 216)),
        ]
        var headers = 0
        for _ in 0..<3000 {
            var bytes = originals.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                // Seldom the signature, of which every byte is fixed.
                let index = Int.random(
                    in: Bool.random(using: &random) ? 0..<bytes.count : 12..<bytes.count, using: &random)
                bytes[index] =
                    Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : bytes[index] ^ 1
            }
            let length = Int.random(in: 0..<3, using: &random)
            bytes = length == 0 ? bytes.dropLast(Int.random(in: 0...bytes.count, using: &random)) : bytes
            let whole = read(bytes)
            var reader = ProxyHeaderReader()
            var offset = 0
            var pieces = ProxyHeaderReader.Reading.needMore
            while offset < bytes.count, pieces == .needMore {
                let end = min(bytes.count, offset + Int.random(in: 1...9, using: &random))
                let piece = Array(bytes[offset..<end])
                pieces = reader.read(piece.span)
                if case .header(let header, let consumed) = pieces {
                    pieces = .header(header, consumed: offset + consumed)
                    headers += 1
                }
                offset = end
            }
            #expect(pieces == whole)
        }
        #expect(headers > 100)
    }
}

/// Numbers that look random and are the same each time (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
