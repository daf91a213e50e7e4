import Bytes

/// The Castagnoli checksum of 32 bits (RFC 3720 §12.1): it finds damage, and is no protection from anyone.
struct CRC32C {
    private var register = UInt32.max

    /// The checksum of all that was added.
    var value: UInt32 { ~register }

    mutating func add(_ bytes: Span<UInt8>) {
        for index in bytes.indices { add(bytes[index]) }
    }

    mutating func add(_ byte: UInt8) {
        register = Self.table[Int(UInt8(truncatingIfNeeded: register) ^ byte)] ^ register >> 8
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82F6_3B78 }
    }
}
