import Bytes
import Cryptography
import Testing
import Tokens

@Suite("Wycheproof", .enabled(if: Vectors.areAtHand, "the vector files are not at hand: set SALLYPORT_VECTORS"))
struct WycheproofTests {
    /// Called valid by the authors, but refused here on purpose.
    ///
    /// The key's own `alg` is not the header's (346, 350) or no algorithm at all (347, 351).
    private static let refusedOnPurpose: Set<Int> = [346, 347, 350, 351]

    /// Whether the JWS layer accepts a JWS, by every algorithm.
    private func isAccepted(_ jws: [UInt8], by jwks: String) throws -> Bool {
        let engine = try CryptographicEngine()
        guard let keys = try? KeySet(jwks: jwks.utf8.span) else { return false }
        do throws(JWSError) {
            let compact = try CompactJWS(jws.span)
            let header = try JOSEHeader(json: compact.header.span)
            // An RSA key without an algorithm needs that only one is allowed: those of the vectors name one.
            let key = try keys.key(for: header, among: Set(SignatureAlgorithm.allCases))
            try compact.verify(jws.span, by: key.publicKey, with: header.algorithm, engine: engine)
            return true
        } catch {
            return false
        }
    }

    @Test("Signatures are judged as the vectors say", arguments: WycheproofJWS.signatures)
    func signatures(vector: WycheproofJWS) throws {
        guard let jwks = vector.jwks else { return try symmetric(vector) }
        let expected = vector.isValid && !Self.refusedOnPurpose.contains(vector.identifier)
        #expect(try isAccepted(vector.jws, by: jwks) == expected)
    }

    @Test("Key sets are judged as the vectors say", arguments: WycheproofJWS.keys)
    func keySets(vector: WycheproofJWS) throws {
        guard let jwks = vector.jwks else { return try symmetric(vector) }
        #expect(try isAccepted(vector.jws, by: jwks) == vector.isValid)
    }

    /// A MAC is refused whatever its key, because the algorithm is unknown; a malformed one before that is looked at.
    private func symmetric(_ vector: WycheproofJWS) throws {
        #expect(throws: JWSError.self) {
            _ = try JOSEHeader(json: try CompactJWS(vector.jws.span).header.span)
        }
    }

    /// 367 and 370 are the same bytes as the valid 357; 372 and 373 hold a `?`, whatever the authors say.
    @Test("Base64url that is not canonical is refused before anything else")
    func base64() {
        let vectors = WycheproofJWS.signatures.filter { $0.group == "base64" && ![367, 370].contains($0.identifier) }
        for vector in vectors {
            let isParsed = (try? CompactJWS(vector.jws.span)) != nil
            let expected = vector.isValid && ![372, 373].contains(vector.identifier)
            #expect(isParsed == expected, "\(vector.testDescription)")
        }
        #expect(vectors.count == 19)
    }

    @Test("All vectors were read")
    func complete() {
        #expect(WycheproofJWS.signatures.count > 350)
        #expect(WycheproofJWS.keys.count == 26)
    }
}
