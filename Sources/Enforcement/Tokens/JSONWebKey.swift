import Bytes
public import Cryptography
public import JSON

/// Why a JWK is not a public key for signatures that we can use.
public enum JSONWebKeyError: Error, Equatable, Sendable {
    /// The numbers are no key of that type.
    case key(KeyError)
    /// A member is missing, has the wrong type, or is not canonical base64url.
    case member(String)
    /// The member is part of a private key.
    case privateMember(String)
    /// The key is symmetric.
    case symmetric
    /// The type or the curve is none of ours.
    case unsupported
}

extension JSONWebKeyError: CustomStringConvertible {
    /// One phrase for the operator.
    public var description: String {
        switch self {
        case .key(let error): "is not a usable key (\(error))"
        case .member(let name): "has a missing or malformed member \"\(name)\""
        case .privateMember(let name): "holds the private member \"\(name)\": publish public keys only"
        case .symmetric: "is a symmetric key: only public keys are accepted"
        case .unsupported: "is of a type or curve that is not supported"
        }
    }
}

/// Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037 §2).
public enum JSONWebKey {
    /// Reads the public key that `jwk` is.
    ///
    /// A key that shows any private member is refused, not stripped: who publishes it has lost it.
    public static func publicKey(_ jwk: JSONValue) throws(JSONWebKeyError) -> PublicKey {
        try refuseSecrets(of: jwk)
        guard let type = jwk.member("kty") else { throw .member("kty") }
        if type.equals("EC") { return try ellipticCurveKey(jwk) }
        if type.equals("RSA") { return try rsaKey(jwk) }
        if type.equals("OKP") { return try octetKeyPair(jwk) }
        throw .unsupported
    }

    /// Refuses symmetric keys and the private members of RFC 7518 §6.2.2, §6.3.2 and §6.4, and of keys to come.
    static func refuseSecrets(of jwk: JSONValue) throws(JSONWebKeyError) {
        guard let type = jwk.member("kty"), type.kind == .string else { throw .member("kty") }
        if type.equals("oct") { throw .symmetric }
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] where jwk.member(named: name) != nil {
            throw .privateMember(name)
        }
    }

    /// Whether `use` and `key_ops`, where there are any, allow to verify signatures (RFC 7517 §4.2, §4.3).
    static func isForVerification(_ jwk: JSONValue) throws(JSONWebKeyError) -> Bool {
        if let use = jwk.member("use") {
            guard use.kind == .string else { throw .member("use") }
            guard use.equals("sig") else { return false }
        }
        guard let operations = jwk.member("key_ops") else { return true }
        guard operations.kind == .array else { throw .member("key_ops") }
        var elements = operations.elements
        while let operation = elements.next() {
            if operation.equals("verify") { return true }
        }
        return false
    }

    private static func ellipticCurveKey(_ jwk: JSONValue) throws(JSONWebKeyError) -> PublicKey {
        guard let name = jwk.member("crv")?.string else { throw .member("crv") }
        guard let curve = EllipticCurve(rawValue: name) else { throw .unsupported }
        let x = try octets(jwk, "x")
        let y = try octets(jwk, "y")
        do throws(KeyError) {
            return try PublicKey.ellipticCurve(curve, x: x.span, y: y.span)
        } catch {
            throw .key(error)
        }
    }

    private static func rsaKey(_ jwk: JSONValue) throws(JSONWebKeyError) -> PublicKey {
        let modulus = try octets(jwk, "n")
        let exponent = try octets(jwk, "e")
        guard !ROCAFingerprint.marks(modulus.span) else { throw .key(.weak) }
        do throws(KeyError) {
            return try PublicKey.rsa(modulus: modulus.span, exponent: exponent.span)
        } catch {
            throw .key(error)
        }
    }

    private static func octetKeyPair(_ jwk: JSONValue) throws(JSONWebKeyError) -> PublicKey {
        guard let curve = jwk.member("crv"), curve.kind == .string else { throw .member("crv") }
        guard curve.equals("Ed25519") else { throw .unsupported }
        let x = try octets(jwk, "x")
        do throws(KeyError) {
            return try PublicKey.ed25519(x.span)
        } catch {
            throw .key(error)
        }
    }

    private static func octets(_ jwk: JSONValue, _ name: String) throws(JSONWebKeyError) -> [UInt8] {
        guard let text = jwk.member(named: name)?.text, let bytes = Base64URL.decode(text) else { throw .member(name) }
        return bytes
    }
}
