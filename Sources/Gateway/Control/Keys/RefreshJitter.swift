import Bytes

/// Shortens intervals by up to a tenth, each by another part (SplitMix64).
struct RefreshJitter: Sendable {
    private var state: UInt64?

    /// Shortens nothing where there is no seed.
    init(seed: UInt64?) {
        state = seed
    }

    mutating func shorten(_ interval: Interval) -> Interval {
        guard let before = state else { return interval }
        let next = before &+ 0x9E37_79B9_7F4A_7C15
        state = next
        var mixed = (next ^ (next >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        let room = UInt64(max(0, interval.nanoseconds / 10)) + 1
        return Interval(nanoseconds: interval.nanoseconds - Int64(mixed % room))
    }
}
