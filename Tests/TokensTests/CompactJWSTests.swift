import Cryptography
import Testing
import Tokens

@Suite("A compact JWS")
struct CompactJWSTests {
    private func refusal(of text: String) -> JWSError? {
        do throws(JWSError) {
            _ = try CompactJWS(text.utf8.span)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "P14, J3: It has three parts; five are a JWE",
        arguments: [
            ("YQ.YQ.YQ", nil), ("YQ..YQ", nil), ("YQ.YQ", .malformed), ("YQ", .malformed), ("", .malformed),
            (".YQ.YQ", .malformed), ("YQ.YQ.", .malformed), ("..", .malformed), ("YQ.YQ.YQ.", .malformed),
            ("YQ.YQ.YQ.YQ", .malformed), ("YQ.YQ.YQ.YQ.YQ", .encrypted), ("YQ....YQ", .encrypted),
            ("YQ.YQ.YQ.YQ.YQ.YQ", .malformed), (".YQ.YQ.YQ", .malformed),
        ] as [(String, JWSError?)])
    func parts(text: String, expected: JWSError?) {
        #expect(refusal(of: text) == expected)
    }

    @Test(
        "J14, P2: It holds nothing but canonical base64url and dots",
        arguments: [
            "=", " ", "\n", "\t", "+", "/", "?", "{", "\"", ",", "~", "\u{0}", "é",
        ])
    func alphabet(character: String) {
        #expect(refusal(of: "YWJj.YWJj.YWJj") == nil)
        for text in [
            "\(character)YWJj.YWJj.YWJj", "YWJj\(character).YWJj.YWJj", "YWJj.Y\(character)Jj.YWJj",
            "YWJj.YWJj.YWJj\(character)", "YWJj.YWJj\(character).YWJj",
        ] {
            #expect(refusal(of: text) == .malformed)
        }
    }

    @Test(
        "P2: Unused bits are zero and no length is impossible",
        arguments: [("YQ", "YR"), ("YWI", "YWJ"), ("YWJj", "YWJjY")])
    func canonical(good: String, bad: String) {
        #expect(refusal(of: "\(good).\(good).\(good)") == nil)
        #expect(refusal(of: "\(bad).\(good).\(good)") == .malformed)
        #expect(refusal(of: "\(good).\(bad).\(good)") == .malformed)
        #expect(refusal(of: "\(good).\(good).\(bad)") == .malformed)
    }

    @Test("The parts are decoded, and the signature covers the first two as written")
    func decoded() throws {
        let jws = try CompactJWS("eyJhIjoxfQ.Zm9v.c2ln".utf8.span)
        #expect(jws.header == Array(#"{"a":1}"#.utf8))
        #expect(jws.payload == Array("foo".utf8))
        #expect(jws.signature == Array("sig".utf8))
        #expect(jws.signingInput == 0..<15)
    }

    // MARK: Vectors of the standards

    private static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    /// RFC 7515 A.2, A.3 and A.4, RFC 8037 A.4: the compact form and the public key.
    private static let vectors: [(name: String, jws: String, jwk: String, algorithm: SignatureAlgorithm)] = [
        (
            "RFC 7515 A.2",
            "eyJhbGciOiJSUzI1NiJ9.\(payload)."
                + "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9u"
                + "JdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_e"
                + "SN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5"
                + "AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            #"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPC"#
                + "JrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH"
                + "SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyx"
                + #"XFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#,
            .rs256
        ),
        (
            "RFC 7515 A.3",
            "eyJhbGciOiJFUzI1NiJ9.\(payload)."
                + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
                + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            .es256
        ),
        (
            "RFC 7515 A.4",
            "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-"
                + "KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLze"
                + "O_Jn",
            #"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSf"#
                + #"S9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh"#
                + #"9ubmf63e3kyMj2"}"#,
            .es512
        ),
        (
            "RFC 8037 A.4",
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWb"
                + "hijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#, .edDSA
        ),
    ]

    @Test("The examples of the standards verify, and not with a bit changed", arguments: vectors.indices)
    func standards(index: Int) throws {
        let vector = Self.vectors[index]
        let engine = try CryptographicEngine()
        let keys = try KeySet(jwks: #"{"keys":[\#(vector.jwk)]}"#.utf8.span)
        let jws = try CompactJWS(vector.jws.utf8.span)
        let header = try JOSEHeader(json: jws.header.span)
        #expect(header.algorithm == vector.algorithm)
        let key = try keys.key(for: header, among: [vector.algorithm])
        #expect(throws: Never.self) {
            try jws.verify(vector.jws.utf8.span, by: key.publicKey, with: header.algorithm, engine: engine)
        }
        var changed = Array(vector.jws.utf8)
        changed[jws.signingInput.upperBound - 1] ^= 1
        #expect(throws: JWSError.signature) {
            try jws.verify(changed.span, by: key.publicKey, with: header.algorithm, engine: engine)
        }
    }
}
