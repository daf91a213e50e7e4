import Bytes

/// The tokens that one worker verified lately, by their exact bytes.
///
/// Only tokens that an issuer vouched for enter, or that it was asked about. The memory is bounded: a token belongs to one
/// set of eight places, chosen by a keyed hash, and pushes out the one of that set that was used longest ago. So every
/// operation takes the same few steps however many tokens there are, and a flood of tokens costs their own verification and
/// no more.
struct VerifiedTokenCache: ~Copyable {
    private static let ways = 8

    private let hasher: TokenHash
    private let mask: Int
    /// The hashes of the places, side by side, so that a set is one cache line; 0 where a place is free.
    private var hashes: [UInt64]
    private var tokens: [CachedToken?]
    private var uses: UInt64 = 0
    private(set) var count = 0

    /// Makes a cache for about `capacity` tokens: rounded up to a power of two; with 0 nothing is kept.
    init(capacity: Int, seed: UInt64) {
        hasher = TokenHash(seed: seed)
        var sets = capacity > 0 ? 1 : 0
        while sets * Self.ways < capacity { sets *= 2 }
        mask = sets - 1
        hashes = Array(repeating: 0, count: sets * Self.ways)
        tokens = Array(repeating: nil, count: sets * Self.ways)
    }

    /// The number of tokens that it can hold.
    var capacity: Int { hashes.count }

    /// The hash of a token and of the chain before it; never 0.
    func hash(of compact: Span<UInt8>, after chain: Span<UInt8> = Span()) -> UInt64 {
        let hash = hasher(compact)
        // Turned, so that a token and a chain do not change places unseen.
        return max(chain.isEmpty ? hash : hash ^ (hasher(chain) &* 0x9E37_79B9_7F4A_7C15), 1)
    }

    private func places(of hash: UInt64) -> Range<Int> {
        let first = (Int(truncatingIfNeeded: hash >> 32) & mask) * Self.ways
        return capacity == 0 ? 0..<0 : first..<first + Self.ways
    }

    /// The verified token of these bytes, after that chain, if it was verified by the table of that generation.
    mutating func token(
        _ compact: Span<UInt8>, after chain: Span<UInt8> = Span(), hash: UInt64, generation: UInt64
    ) -> CachedToken? {
        for place in places(of: hash) where hashes[place] == hash {
            guard let token = tokens[place], token.isWritten(compact, after: chain) else { continue }
            guard token.generation == generation else {
                free(place)
                return nil
            }
            uses += 1
            token.lastUse = uses
            return token
        }
        return nil
    }

    /// Keeps a token, in the place of the same one, in a free place or in that of the token used longest ago.
    mutating func insert(_ token: CachedToken) {
        var chosen: Int?
        var oldest = UInt64.max
        for place in places(of: token.hash) {
            if let other = tokens[place], other.isWritten(as: token) {
                chosen = place
                break
            }
            let use = tokens[place]?.lastUse ?? 0
            if use < oldest {
                oldest = use
                chosen = place
            }
        }
        guard let chosen else { return }
        if tokens[chosen] == nil { count += 1 }
        uses += 1
        token.lastUse = uses
        hashes[chosen] = token.hash
        tokens[chosen] = token
    }

    /// Forgets a token whose time is over.
    mutating func remove(_ token: CachedToken) {
        for place in places(of: token.hash) where tokens[place] === token { free(place) }
    }

    /// Forgets what is known of a token, by its bytes.
    mutating func remove(writtenAs token: CachedToken) {
        for place in places(of: token.hash) {
            guard let other = tokens[place], other.isWritten(as: token) else { continue }
            free(place)
        }
    }

    private mutating func free(_ place: Int) {
        hashes[place] = 0
        tokens[place] = nil
        count -= 1
    }
}
