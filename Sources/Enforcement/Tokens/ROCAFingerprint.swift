/// The mark that a broken key generator left on its RSA moduli (ROCA, CVE-2017-15361).
///
/// The primes that it made are powers of 65537 modulo the product of the first small primes; so are their products. A
/// modulus that is such a power modulo each of 38 small primes was made so, but for one chance in about 2²⁷, and can be factored.
enum ROCAFingerprint {
    private static let primes: [UInt32] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ]

    /// Whether a big-endian modulus bears the mark.
    static func marks(_ modulus: Span<UInt8>) -> Bool {
        primes.allSatisfy { isPower(remainder(of: modulus, by: $0), modulo: $0) }
    }

    private static func remainder(of number: Span<UInt8>, by divisor: UInt32) -> UInt32 {
        var remainder: UInt32 = 0
        for index in number.indices { remainder = (remainder << 8 | UInt32(number[index])) % divisor }
        return remainder
    }

    /// Whether some power of 65537 leaves `value`.
    private static func isPower(_ value: UInt32, modulo prime: UInt32) -> Bool {
        var power: UInt32 = 1
        repeat {
            if power == value { return true }
            power = power * (65_537 % prime) % prime
        } while power != 1
        return false
    }
}
