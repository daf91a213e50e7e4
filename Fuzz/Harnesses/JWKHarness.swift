import Bytes
import Cryptography
import JSON
import Tokens

/// JWKs and JWK Sets: a key that is accepted is public, its thumbprint is that of its members (RFC 7638), and a set holds only
/// keys that are accepted alone.
final class JWKHarness: Harness {
    private let engine: CryptographicEngine

    init() throws {
        engine = try CryptographicEngine()
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let document = try? JSONDocument(input) else {
            try demand((try? KeySet(jwks: input)) == nil, "a set that is no JSON is refused")
            return false
        }
        let acceptsKey = try acceptsKey(document.root, input)
        let acceptsSet = try acceptsSet(document.root, input)
        return acceptsKey || acceptsSet
    }

    private func acceptsKey(_ jwk: JSONValue, _ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let key = try? JSONWebKey.publicKey(jwk) else { return false }
        try check(key, of: jwk)
        for name in ["use", "key_ops", "alg", "kid"] where jwk.member(named: name) != nil { return true }
        let set = Array(#"{"keys":["#.utf8) + Array(copying: input) + Array("]}".utf8)
        let keys = Result { () throws(KeySetError) in try KeySet(jwks: set.span).keys }
        switch keys {
        case .success(let keys): try demand(keys.map(\.publicKey) == [key], "the set of one key holds that key")
        // A set is one level deeper, or two, than its key.
        case .failure(.json): break
        case .failure(let error): throw Violation(property: "a key is accepted in a set too (\(error))")
        }
        return true
    }

    private func acceptsSet(_ set: JSONValue, _ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let keys = try? KeySet(jwks: input) else { return false }
        try demand(keys.count > 0 && keys.count == keys.keys.count, "a set has a key")
        let identifiers = keys.keys.compactMap { $0.keyID.map { Array($0.utf8) } }
        try demand(Set(identifiers).count == identifiers.count, "no two keys of a set have one identifier")
        var alone: [Digest256] = []
        let list = try demand(set.member("keys")?.count, "a set has keys")
        guard let member = set.member("keys") else { return false }
        var elements = member.elements
        while let element = elements.next() {
            guard let key = try? JSONWebKey.publicKey(element) else { continue }
            alone.append(key.thumbprint)
        }
        try demand(keys.count <= list, "a set has no more keys than are listed")
        for key in keys.keys {
            try demand(alone.contains(key.publicKey.thumbprint), "a key of a set is accepted alone")
            if let algorithm = key.algorithm {
                try demand(key.publicKey.accepts(algorithm), "a key suits the algorithm that it names")
            }
        }
        return true
    }

    private func check(_ key: PublicKey, of jwk: JSONValue) throws(Violation) {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            try demand(jwk.member(named: name) == nil, "a private key is refused")
        }
        let names: [String]
        switch key.kind {
        case .ellipticCurve: names = ["crv", "kty", "x", "y"]
        case .ed25519: names = ["crv", "kty", "x"]
        case .rsa(let bits):
            names = ["e", "kty", "n"]
            try demand((2048...8192).contains(bits), "an RSA key is neither weak nor a burden")
        }
        var members: [String] = []
        for name in names {
            let text = try demand(jwk.member(named: name)?.string, "the members of a thumbprint are text")
            members.append(#""\#(name)":"\#(text)""#)
        }
        let thumbprint = engine.sha256("{\(members.joined(separator: ","))}".utf8.span)
        try demand(key.thumbprint == thumbprint, "the thumbprint is that of RFC 7638 §3")
    }
}
