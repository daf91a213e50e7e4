public import Bytes
public import Cryptography

/// What is to be thought of a nonce that a proof repeats.
public enum NonceVerdict: Equatable, Sendable {
    /// It is not ours, or not any more: the client must be given a new one.
    case invalid
    /// It is ours and current.
    case valid
    /// It is ours but will not be for long: the answer should bear a new one (RFC 9449 §8.2).
    case validButRenew
}

/// The nonces that this node asks clients to repeat in their proofs (RFC 9449 §9), without remembering any: one per worker.
///
/// A nonce is the HMAC of the current stretch of time under a key that only this node knows, so nobody else can make or foresee
/// one, and those of another node, or from before a restart, are not ours. It is accepted until the end of the next stretch: for
/// between one and two stretches. Everybody is given the same one: it proves when a proof was made, not by whom.
public final class Nonces {
    private let key: [UInt8]
    private let interval: Interval
    private let engine: CryptographicEngine

    /// The stretch of time that the texts below belong to: they are made once a stretch, not once a request.
    private var stretch: Int64
    private var previous: String
    private var current: String
    private var next: String

    /// Makes the nonces of a node.
    ///
    /// - Parameters:
    ///   - key: 32 random bytes or more; the same for all workers of the node, new with every start, never told.
    ///   - interval: the length of a stretch, a second at least; a nonce is accepted that long or longer.
    ///   - engine: the thread's.
    public init(key: [UInt8], interval: Interval, engine: CryptographicEngine) {
        precondition(key.count >= 32 && interval >= .seconds(1), "a nonce that could be guessed or never used")
        self.key = key
        self.interval = interval
        self.engine = engine
        stretch = .min
        (previous, current, next) = ("", "", "")
    }

    /// The nonce to give to a client now: 22 characters of base64url, which are `NQCHAR` (RFC 9449 §8.1).
    public func issue(at now: UnixTime) -> String {
        advance(to: now)
        return current
    }

    /// Judges a nonce that a client sent.
    ///
    /// One of the next stretch is current too: another worker may have seen it begin.
    public func check(_ nonce: Span<UInt8>, at now: UnixTime) -> NonceVerdict {
        advance(to: now)
        // All three are compared, always, so that the time tells nothing.
        let isCurrent = nonce.equalsInConstantTime(current.utf8.span)
        let isNext = nonce.equalsInConstantTime(next.utf8.span)
        let isPrevious = nonce.equalsInConstantTime(previous.utf8.span)
        if isCurrent || isNext { return .valid }
        return isPrevious ? .validButRenew : .invalid
    }

    private func advance(to now: UnixTime) {
        let stretch = Self.quotient(now.nanoseconds, interval.nanoseconds)
        guard stretch != self.stretch else { return }
        self.stretch = stretch
        previous = text(of: stretch &- 1)
        current = text(of: stretch)
        next = text(of: stretch &+ 1)
    }

    /// The quotient rounded down, so that no stretch around 1970 is twice as long.
    private static func quotient(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The first 16 bytes of the HMAC of a label and the stretch's number.
    private func text(of stretch: Int64) -> String {
        var message = Array("dpop nonce ".utf8)
        for shift in stride(from: 56, through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: stretch >> Int64(shift)))
        }
        let key = self.key
        let digest = engine.hmacSHA256(key: key.span, message: message.span).bytes
        return Base64URL.encode(digest.span.extracting(0..<16))
    }
}
