public import JSON

/// Why a JWK Set is refused as a whole.
public enum KeySetError: Error, Equatable, Sendable {
    /// Two usable keys share an identifier.
    case duplicateKeyID(String)
    /// It is not strict JSON.
    case json(JSONError)
    /// The key at an index, counted from 0, cannot be in a set of public keys.
    case key(index: Int, JSONWebKeyError)
    /// It is not an object with an array `keys` of objects.
    case notAKeySet
    /// No key of it can verify a signature.
    case noUsableKey
}

extension KeySetError: CustomStringConvertible {
    /// One phrase for the operator, to follow the name of the file.
    public var description: String {
        switch self {
        case .duplicateKeyID(let identifier): "two keys have the kid \"\(identifier)\""
        case .json(let error): "is not JSON: \(error)"
        case .key(let index, let error): "key \(index + 1) \(error)"
        case .notAKeySet: "is not a JWK Set: an object with an array \"keys\" is expected"
        case .noUsableKey: "has no key that can verify a signature"
        }
    }
}
