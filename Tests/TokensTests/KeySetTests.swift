import Bytes
import Cryptography
import JSON
import Testing
import Tokens

@Suite("A key set")
struct KeySetTests {
    private static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    private static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    private static let curve = #""kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)""#
    private static let modulus =
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-"
        + "pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2"
        + "CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW"
        + "9gb54h4FRWyuXpoQ"
    private static let rsa = #""kty":"RSA","e":"AQAB","n":"\#(modulus)""#
    private static let edwards = #""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#

    /// The set of the keys given by their members, or why it is refused.
    private func read(_ keys: String...) -> Result<KeySet, KeySetError> {
        read(text: #"{"keys":[\#(keys.map { "{\($0)}" }.joined(separator: ","))]}"#)
    }

    private func read(text: String) -> Result<KeySet, KeySetError> {
        Result { () throws(KeySetError) in try KeySet(jwks: text.utf8.span) }
    }

    private func error(_ result: Result<KeySet, KeySetError>) -> KeySetError? {
        if case .failure(let error) = result { return error }
        return nil
    }

    @Test("Keys of every supported type are read, with their thumbprints")
    func types() throws {
        let set = try read(Self.curve, Self.rsa, Self.edwards).get()
        #expect(set.count == 3)
        #expect(set.keys[0].publicKey.kind == .ellipticCurve(.p256))
        #expect(set.keys[1].publicKey.kind == .rsa(bits: 2048))
        #expect(set.keys[2].publicKey.kind == .ed25519)
        // RFC 8037 A.3.
        #expect(set.keys[2].publicKey.thumbprint.base64URL == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }

    @Test(
        "What is not a JWK Set is refused",
        arguments: [
            ("", .json(.truncated)), ("[]", .notAKeySet), ("{}", .notAKeySet), (#"{"keys":{}}"#, .notAKeySet),
            (#"{"keys":[1]}"#, .notAKeySet), (#"{"keys":[[]]}"#, .notAKeySet), (#"{"keys":[]}"#, .noUsableKey),
            (#"{"keys":[],"keys":[]}"#, .json(.duplicateMember(at: 11))),
            (#"{"keys":[{"kty":"RSA","kty":"RSA"}]}"#, .json(.duplicateMember(at: 22))),
            ("{\(curve)}", .notAKeySet),
        ] as [(String, KeySetError)])
    func notASet(text: String, expected: KeySetError) {
        #expect(error(read(text: text)) == expected)
    }

    @Test(
        "P12: A key for something else is passed over",
        arguments: [
            (#""use":"enc""#, #""use":"sig""#), (#""use":"SIG""#, #""use":"sig""#),
            (#""key_ops":["encrypt"]"#, #""key_ops":["verify"]"#), (#""key_ops":[]"#, #""key_ops":["sign","verify"]"#),
            (#""alg":"ECDH-ES""#, #""alg":"ES256""#), (#""alg":"ES256K""#, #""alg":"ES256""#),
            (#""alg":"HS256""#, #""alg":"ES256""#), (#""use":"sig","key_ops":["deriveKey"]"#, #""use":"sig""#),
        ])
    func otherPurposes(member: String, twin: String) throws {
        #expect(error(read("\(Self.curve),\(member)")) == .noUsableKey)
        #expect(try read("\(Self.curve),\(member)", Self.edwards).get().count == 1)
        #expect(try read("\(Self.curve),\(twin)").get().count == 1)
    }

    @Test(
        "P12: A key of an unknown type or curve is passed over",
        arguments: [
            #""kty":"AKP","alg":"ML-DSA-44","pub":"YQ""#, #""kty":"ec","crv":"P-256""#,
            #""kty":"EC","crv":"secp256k1","x":"YQ","y":"YQ""#, #""kty":"OKP","crv":"X25519","x":"YQ""#,
            #""kty":"OKP","crv":"Ed448","x":"YQ""#,
        ])
    func unsupported(key: String) throws {
        #expect(error(read(key)) == .noUsableKey)
        #expect(try read(key, Self.curve).get().count == 1)
    }

    @Test("P12, C4: A symmetric key refuses the set")
    func symmetric() {
        let key =
            #""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow""#
        #expect(error(read(Self.curve, key)) == .key(index: 1, .symmetric))
        #expect(error(read(key + #","use":"enc""#, Self.curve)) == .key(index: 0, .symmetric))
        #expect(error(read(Self.curve)) == nil)
    }

    @Test(
        "D7: A private member refuses the set, whatever the key is for",
        arguments: [
            "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv",
        ])
    func privateMembers(name: String) {
        for key in [Self.curve, Self.rsa, Self.edwards, Self.curve + #","use":"enc""#, #""kty":"AKP""#] {
            #expect(error(read(Self.edwards, "\(key),\"\(name)\":\"YQ\"")) == .key(index: 1, .privateMember(name)))
            #expect(error(read(Self.edwards, "\(key),\"x_\(name)\":\"YQ\"")) == nil)
        }
    }

    @Test(
        "P8: A malformed key refuses the set",
        arguments: [
            (#""crv":"P-256""#, .member("kty")), (#""kty":1"#, .member("kty")), (#""kty":"EC""#, .member("crv")),
            (#""kty":"EC","crv":"P-256","x":"\#(x)""#, .member("y")),
            (#""kty":"EC","crv":"P-256","x":"\#(x)=","y":"\#(y)""#, .member("x")),
            (#""kty":"EC","crv":"P-256","x":1,"y":"\#(y)""#, .member("x")),
            (#""kty":"EC","crv":"P-256","x":"\#(y)","y":"\#(x)""#, .key(.notOnCurve)),
            (#""kty":"EC","crv":"P-256","x":"AA\#(x)","y":"\#(y)""#, .member("x")),
            (#""kty":"EC","crv":"P-384","x":"\#(x)","y":"\#(y)""#, .key(.malformed)),
            (#""kty":"RSA","e":"AQAB""#, .member("n")), (#""kty":"RSA","e":"AQ","n":"\#(modulus)""#, .key(.weak)),
            (#""kty":"OKP","crv":"Ed25519""#, .member("x")), (#""kty":"OKP","x":"YQ""#, .member("crv")),
            (#""kty":"OKP","crv":"Ed25519","x":"YQ""#, .key(.malformed)),
            (#"\#(curve),"alg":1"#, .member("alg")), (#"\#(curve),"alg":"ES384""#, .member("alg")),
            (#"\#(curve),"alg":"RS256""#, .member("alg")), (#"\#(curve),"use":1"#, .member("use")),
            (#"\#(curve),"key_ops":"verify""#, .member("key_ops")), (#"\#(curve),"kid":1"#, .member("kid")),
        ] as [(String, JSONWebKeyError)])
    func malformed(key: String, expected: JSONWebKeyError) {
        #expect(error(read(Self.edwards, key)) == .key(index: 1, expected))
        #expect(error(read(Self.edwards, Self.curve)) == nil)
    }

    @Test("P10: Two usable keys of one identifier refuse the set")
    func duplicateKeyID() {
        let first = Self.curve + #","kid":"a""#
        #expect(error(read(first, Self.edwards + #","kid":"\u0061""#)) == .duplicateKeyID("a"))
        #expect(error(read(first, Self.edwards + #","kid":"A""#)) == nil)
        #expect(error(read(first, Self.rsa + #","kid":"a","use":"enc""#)) == nil)
        #expect(error(read(Self.curve, Self.edwards)) == nil)
        // Canonically equivalent, but other bytes: other identifiers.
        #expect(error(read(Self.curve + #","kid":"\u00e9""#, Self.edwards + #","kid":"e\u0301""#)) == nil)
    }

    // MARK: Choosing a key

    private func choice(
        _ set: Result<KeySet, KeySetError>, _ header: String, _ allowed: Set<SignatureAlgorithm>
    ) throws -> Result<VerificationKey, JWSError> {
        let set = try set.get()
        let header = try JOSEHeader(json: header.utf8.span)
        return Result { () throws(JWSError) in try set.key(for: header, among: allowed) }
    }

    private func refusal(_ choice: Result<VerificationKey, JWSError>) -> JWSError? {
        if case .failure(let error) = choice { return error }
        return nil
    }

    @Test("J1: An algorithm that is not allowed is refused")
    func allowed() throws {
        let set = read(Self.curve)
        #expect(try refusal(choice(set, #"{"alg":"ES256"}"#, [.es256])) == nil)
        #expect(try refusal(choice(set, #"{"alg":"ES256"}"#, [.es384, .rs256])) == .algorithm)
        #expect(try refusal(choice(set, #"{"alg":"ES256"}"#, [])) == .algorithm)
    }

    @Test("J1: A key that names its algorithm is for no other, not even for another name of the same")
    func ownAlgorithm() throws {
        let all = Set(SignatureAlgorithm.allCases)
        let set = read(Self.rsa + #","kid":"r","alg":"PS256""#, Self.edwards + #","kid":"e","alg":"EdDSA""#)
        #expect(try refusal(choice(set, #"{"alg":"PS256","kid":"r"}"#, all)) == nil)
        #expect(try refusal(choice(set, #"{"alg":"RS256","kid":"r"}"#, all)) == .keyAlgorithm)
        #expect(try refusal(choice(set, #"{"alg":"PS384","kid":"r"}"#, all)) == .keyAlgorithm)
        #expect(try refusal(choice(set, #"{"alg":"EdDSA","kid":"e"}"#, all)) == nil)
        #expect(try refusal(choice(set, #"{"alg":"Ed25519","kid":"e"}"#, all)) == .keyAlgorithm)
        #expect(try refusal(choice(set, #"{"alg":"ES256","kid":"e"}"#, all)) == .keyAlgorithm)
    }

    @Test("J1: A key that names none is for what its type leaves no choice about")
    func impliedAlgorithm() throws {
        let set = read(Self.rsa + #","kid":"r""#, Self.edwards + #","kid":"e""#, Self.curve + #","kid":"c""#)
        let few: Set<SignatureAlgorithm> = [.es256, .es384, .edDSA, .ed25519, .ps256]
        #expect(try refusal(choice(set, #"{"alg":"ES256","kid":"c"}"#, few)) == nil)
        #expect(try refusal(choice(set, #"{"alg":"ES384","kid":"c"}"#, few)) == .keyAlgorithm)
        #expect(try refusal(choice(set, #"{"alg":"EdDSA","kid":"e"}"#, few)) == nil)
        #expect(try refusal(choice(set, #"{"alg":"Ed25519","kid":"e"}"#, few)) == nil)
        #expect(try refusal(choice(set, #"{"alg":"PS256","kid":"r"}"#, few)) == nil)
        #expect(try refusal(choice(set, #"{"alg":"PS256","kid":"r"}"#, few.union([.rs256]))) == .keyAlgorithm)
    }

    @Test("P10: A key identifier is compared byte for byte, and must be known")
    func keyID() throws {
        let set = read(Self.curve + #","kid":"é""#, Self.edwards)
        #expect(try choice(set, #"{"alg":"ES256","kid":"\u00e9"}"#, [.es256]).get().keyID == "é")
        #expect(try refusal(choice(set, #"{"alg":"ES256","kid":"e\u0301"}"#, [.es256])) == .key)
        #expect(try refusal(choice(set, #"{"alg":"ES256","kid":"E"}"#, [.es256])) == .key)
        #expect(try refusal(choice(set, #"{"alg":"ES256","kid":""}"#, [.es256])) == .key)
        // A key without identifier is not what a token with one means.
        #expect(try refusal(choice(set, #"{"alg":"EdDSA","kid":"e"}"#, [.edDSA])) == .key)
    }

    @Test("P10: Without a key identifier exactly one key must fit the algorithm")
    func noKeyID() throws {
        let other = try PrivateKey.generate(.ellipticCurve(.p256)).publicJWK(keyID: "b", algorithm: nil)
        let one = read(Self.curve + #","kid":"a""#, Self.edwards)
        let two = read(text: #"{"keys":[{\#(Self.curve),"kid":"a"},\#(other)]}"#)
        #expect(try choice(one, #"{"alg":"ES256"}"#, [.es256]).get().keyID == "a")
        #expect(try refusal(choice(two, #"{"alg":"ES256"}"#, [.es256])) == .key)
        #expect(try choice(two, #"{"alg":"ES256","kid":"a"}"#, [.es256]).get().keyID == "a")
        #expect(try refusal(choice(one, #"{"alg":"ES384"}"#, [.es384])) == .key)
    }

    @Test("An error says what to look at")
    func descriptions() {
        #expect(KeySetError.key(index: 1, .privateMember("d")).description.hasPrefix("key 2 holds the private member"))
        #expect(KeySetError.json(.truncated).description == "is not JSON: an unexpected end")
        #expect(KeySetError.duplicateKeyID("a").description == #"two keys have the kid "a""#)
    }
}
