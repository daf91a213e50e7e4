import Bytes
import Cryptography
import JSON
import Tokens

/// The public key that a proof brings along in its header (RFC 9449 §4.2).
final class ProofKey {
    let publicKey: PublicKey
    /// The only algorithm that it says it is for, if it says so.
    private let algorithm: SignatureAlgorithm?
    /// The `jwk` exactly as written, so that the same bytes need not be judged again.
    fileprivate let text: [UInt8]
    fileprivate let hash: UInt64
    fileprivate var lastUse: UInt64 = 0

    /// Judges a `jwk`: public, asymmetric, for signatures, well-formed, of a size that can be afforded.
    init(_ jwk: JSONValue, hash: UInt64) throws(DPoPRejection) {
        guard jwk.kind == .object else { throw .key }
        do throws(JSONWebKeyError) {
            publicKey = try JSONWebKey.publicKey(jwk)
        } catch {
            switch error {
            case .privateMember: throw .privateKey
            case .symmetric: throw .symmetricKey
            case .key, .member, .unsupported: throw .key
            }
        }
        try Self.checkUse(of: jwk)
        algorithm = try Self.algorithm(of: jwk)
        text = Array(copying: jwk.raw)
        self.hash = hash
    }

    /// Whether a signature by `algorithm` may be verified with this key: kind and curve agree, and so does its own `alg`.
    func serves(_ algorithm: SignatureAlgorithm) -> Bool {
        publicKey.accepts(algorithm) && (self.algorithm ?? algorithm) == algorithm
    }

    fileprivate func isWritten(_ other: Span<UInt8>) -> Bool {
        let text = self.text
        return text.span.equals(other)
    }

    /// Honours `use` and `key_ops` (RFC 7517 §4.2, §4.3).
    private static func checkUse(of jwk: JSONValue) throws(DPoPRejection) {
        if let use = jwk.member("use") {
            guard use.equals("sig") else { throw .keyUse }
        }
        guard let operations = jwk.member("key_ops") else { return }
        guard operations.kind == .array else { throw .keyUse }
        var elements = operations.elements
        while let operation = elements.next() {
            if operation.equals("verify") { return }
        }
        throw .keyUse
    }

    private static func algorithm(of jwk: JSONValue) throws(DPoPRejection) -> SignatureAlgorithm? {
        guard let value = jwk.member("alg") else { return nil }
        guard let name = value.text, let algorithm = SignatureAlgorithm(joseName: name) else {
            throw .jws(.keyAlgorithm)
        }
        return algorithm
    }
}

/// The proof keys that one worker met lately, by the exact bytes of their `jwk`.
///
/// To import a point of P-256 costs as much as half a verification. Only keys that verified a signature enter, and a key is found
/// by comparing all its bytes, so none is ever taken for another. The memory is bounded: a key belongs to one set of four places, chosen
/// by a hash with the process's random seed, and pushes out the one of that set that was used longest ago.
struct ProofKeyCache: ~Copyable {
    private static let ways = 4

    private let mask: Int
    private var keys: [ProofKey?]
    private var uses: UInt64 = 0
    private(set) var count = 0

    /// Makes a cache for about `capacity` keys: rounded up to a power of two; with 0 nothing is kept.
    init(capacity: Int) {
        var sets = capacity > 0 ? 1 : 0
        while sets * Self.ways < capacity { sets *= 2 }
        mask = sets - 1
        keys = Array(repeating: nil, count: sets * Self.ways)
    }

    /// The hash of a `jwk` as written.
    static func hash(of jwk: Span<UInt8>) -> UInt64 {
        var hasher = Hasher()
        unsafe jwk.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private func places(of hash: UInt64) -> Range<Int> {
        guard !keys.isEmpty else { return 0..<0 }
        let first = (Int(truncatingIfNeeded: hash) & mask) * Self.ways
        return first..<first + Self.ways
    }

    /// The key of exactly that `jwk`, if it is known.
    mutating func key(_ jwk: Span<UInt8>, hash: UInt64) -> ProofKey? {
        for place in places(of: hash) {
            guard let key = keys[place], key.hash == hash, key.isWritten(jwk) else { continue }
            uses += 1
            key.lastUse = uses
            return key
        }
        return nil
    }

    /// Keeps a key that just verified a signature, in a free place or in that of the key used longest ago.
    mutating func insert(_ key: ProofKey) {
        var chosen: Int?
        var oldest = UInt64.max
        for place in places(of: key.hash) {
            guard keys[place] !== key else { return }
            let use = keys[place]?.lastUse ?? 0
            guard use < oldest else { continue }
            oldest = use
            chosen = place
        }
        guard let chosen else { return }
        if keys[chosen] == nil { count += 1 }
        uses += 1
        key.lastUse = uses
        keys[chosen] = key
    }
}
