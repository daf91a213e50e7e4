import Bytes
public import Cryptography
import JSON

/// An issuer's public keys (RFC 7517 §5).
public struct KeySet: Sendable {
    /// The keys that can verify signatures, in the order of the set; a set that was read has one at least.
    public let keys: [VerificationKey]

    /// No keys: nothing was fetched yet.
    public static let none = KeySet(keys: [])

    /// The number of keys that can verify signatures.
    public var count: Int { keys.count }

    /// Whether there is no key at all.
    public var isEmpty: Bool { keys.isEmpty }

    private init(keys: [VerificationKey]) {
        self.keys = keys
    }

    /// Reads a JWK Set.
    ///
    /// Keys for other purposes (`use` other than `sig`, `key_ops` without `verify`, an `alg` that is no signature of ours)
    /// and of types or curves that we do not support are passed over. Whatever shows that something is wrong refuses the
    /// set: a symmetric key, a private one, a malformed, weak or contradictory one, two keys of one `kid`, no key at all.
    public init(jwks: Span<UInt8>) throws(KeySetError) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(jwks)
        } catch {
            throw .json(error)
        }
        keys = try Self.keys(of: document.root)
    }

    /// The key that must have made a signature, by the header's `kid` or, without one, because no other could.
    ///
    /// - Throws: `algorithm` where that is not allowed, `key` where there is none or more than one, `keyAlgorithm` where
    ///   the key is not for that algorithm.
    public func key(
        for header: JOSEHeader, among allowed: Set<SignatureAlgorithm>
    ) throws(JWSError) -> VerificationKey {
        guard let key = try knownKey(for: header, among: allowed) else { throw .key }
        return key
    }

    /// The same, but nothing where no key of the set can have made the signature: a newer set may have one.
    func knownKey(
        for header: JOSEHeader, among allowed: Set<SignatureAlgorithm>
    ) throws(JWSError) -> VerificationKey? {
        guard allowed.contains(header.algorithm) else { throw .algorithm }
        if let keyID = header.keyID {
            guard let key = keys.first(where: { $0.keyID?.utf8.elementsEqual(keyID.utf8) == true }) else { return nil }
            guard key.serves(header.algorithm, among: allowed) else { throw .keyAlgorithm }
            return key
        }
        var fitting: VerificationKey?
        for key in keys where key.serves(header.algorithm, among: allowed) {
            guard fitting == nil else { throw .key }
            fitting = key
        }
        return fitting
    }

    private static func keys(of set: JSONValue) throws(KeySetError) -> [VerificationKey] {
        guard let list = set.member("keys"), list.kind == .array else { throw .notAKeySet }
        var keys: [VerificationKey] = []
        var identifiers: Set<[UInt8]> = []
        var elements = list.elements
        var index = 0
        while let jwk = elements.next() {
            guard jwk.kind == .object else { throw .notAKeySet }
            do throws(JSONWebKeyError) {
                if let key = try key(jwk) { keys.append(key) }
            } catch {
                throw .key(index: index, error)
            }
            index += 1
        }
        for case let identifier? in keys.map(\.keyID) where !identifiers.insert(Array(identifier.utf8)).inserted {
            throw .duplicateKeyID(identifier)
        }
        guard !keys.isEmpty else { throw .noUsableKey }
        return keys
    }

    /// Reads one key, or nothing where it is to be passed over: judged by its purpose before its numbers.
    private static func key(_ jwk: JSONValue) throws(JSONWebKeyError) -> VerificationKey? {
        try JSONWebKey.refuseSecrets(of: jwk)
        guard try JSONWebKey.isForVerification(jwk) else { return nil }
        let name = jwk.member("alg")
        guard name == nil || name?.kind == .string else { throw .member("alg") }
        var algorithm: SignatureAlgorithm?
        if let text = name?.text {
            algorithm = SignatureAlgorithm(joseName: text)
            if algorithm == nil { return nil }
        }
        let publicKey: PublicKey
        do throws(JSONWebKeyError) {
            publicKey = try JSONWebKey.publicKey(jwk)
        } catch {
            guard error == .unsupported else { throw error }
            return nil
        }
        if let algorithm, !publicKey.accepts(algorithm) { throw .member("alg") }
        return VerificationKey(publicKey: publicKey, keyID: try keyID(of: jwk), algorithm: algorithm)
    }

    private static func keyID(of jwk: JSONValue) throws(JSONWebKeyError) -> String? {
        guard let value = jwk.member("kid") else { return nil }
        guard let keyID = value.string, keyID.utf8.count <= JOSEHeader.maximumKeyIDLength else { throw .member("kid") }
        return keyID
    }
}
