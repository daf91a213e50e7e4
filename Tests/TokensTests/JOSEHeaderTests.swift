import Cryptography
import Testing
import Tokens

@Suite("A JOSE header")
struct JOSEHeaderTests {
    private func refusal(of text: String) -> JWSError? {
        do throws(JWSError) {
            _ = try JOSEHeader(json: text.utf8.span)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "Each rule refuses a header; its twin is read",
        arguments: [
            // P1, P15: strict JSON, one value for a name.
            (#"{"alg":"ES256","alg":"ES256"}"#, #"{"alg":"ES256","alg2":"ES256"}"#, .header),
            (#"{"alg":"ES256","al\u0067":"none"}"#, #"{"alg":"ES256","al\u0068":"none"}"#, .header),
            (#"{"alg":"ES256"} x"#, #"{"alg":"ES256"} "#, .header),
            (#"["ES256"]"#, #"{"alg":"ES256"}"#, .header),
            (#"{}"#, #"{"alg":"ES256"}"#, .header),
            (#"{"alg":256}"#, #"{"alg":"ES256"}"#, .header),
            // J1, A4: known asymmetric algorithms only, by exact name.
            (#"{"alg":"none"}"#, #"{"alg":"ES256"}"#, .algorithm),
            (#"{"alg":"noNE"}"#, #"{"alg":"ES384"}"#, .algorithm),
            (#"{"alg":""}"#, #"{"alg":"ES512"}"#, .algorithm),
            (#"{"alg":"es256"}"#, #"{"alg":"EdDSA"}"#, .algorithm),
            (#"{"alg":"HS256"}"#, #"{"alg":"RS256"}"#, .algorithm),
            (#"{"alg":"ES256K"}"#, #"{"alg":"Ed25519"}"#, .algorithm),
            (#"{"alg":"ES256 "}"#, #"{"alg":"PS512"}"#, .algorithm),
            // P3, P4: whatever must be understood is not.
            (#"{"alg":"ES256","crit":["exp"]}"#, #"{"alg":"ES256","crits":["exp"]}"#, .critical),
            (#"{"alg":"ES256","crit":[]}"#, #"{"alg":"ES256"}"#, .critical),
            (#"{"alg":"ES256","crit":null}"#, #"{"alg":"ES256"}"#, .critical),
            (#"{"alg":"ES256","crit":["b64"],"b64":false}"#, #"{"alg":"ES256"}"#, .critical),
            (#"{"alg":"ES256","b64":false}"#, #"{"alg":"ES256","b65":false}"#, .critical),
            (#"{"alg":"ES256","b64":true}"#, #"{"alg":"ES256"}"#, .critical),
            // J3, J6: neither encrypted nor compressed.
            (#"{"alg":"ES256","enc":"A128GCM"}"#, #"{"alg":"ES256"}"#, .encrypted),
            (#"{"alg":"ES256","zip":"DEF"}"#, #"{"alg":"ES256"}"#, .encrypted),
            // P10: kid is a string of bounded length.
            (#"{"alg":"ES256","kid":1}"#, #"{"alg":"ES256","kid":"1"}"#, .header),
            (#"{"alg":"ES256","kid":null}"#, #"{"alg":"ES256","kid":""}"#, .header),
            (
                #"{"alg":"ES256","kid":""# + String(repeating: "k", count: 1025) + #""}"#,
                #"{"alg":"ES256","kid":""# + String(repeating: "k", count: 1024) + #""}"#, .header
            ),
            (#"{"alg":"ES256","typ":["at+jwt"]}"#, #"{"alg":"ES256","typ":"at+jwt"}"#, .header),
        ] as [(String, String, JWSError)])
    func rules(text: String, twin: String, expected: JWSError) {
        #expect(refusal(of: text) == expected)
        #expect(refusal(of: twin) == nil)
    }

    @Test("P11: Members that point to a key are not read, nor any that we do not know")
    func ignored() throws {
        let header = try JOSEHeader(
            json: #"{"alg":"ES256","jku":"https://evil.example","x5u":1,"x5c":[],"jwk":{"kty":"oct"},"foo":{}}"#.utf8
                .span)
        #expect(header.algorithm == .es256)
        #expect(header.keyID == nil)
        #expect(header.type == nil)
    }

    @Test(
        "A1, J11: A type is a media type, application being implied, in any case",
        arguments: [
            ("at+jwt", true), ("AT+JWT", true), ("application/at+jwt", true), ("Application/AT+jwt", true),
            ("JWT", false), ("jwt", false), ("id+jwt", false), ("at+jwt ", false), (" at+jwt", false),
            ("at+jwt;v=1", false),
            ("text/at+jwt", false), ("application/", false), ("application/application/at+jwt", false), ("", false),
            ("dpop+jwt", false), ("at+jwtx", false),
        ])
    func types(type: String, expected: Bool) throws {
        let header = try JOSEHeader(json: #"{"alg":"ES256","typ":"\#(type)"}"#.utf8.span)
        #expect(header.isTyped("at+jwt") == expected)
        #expect(header.type == type)
    }

    @Test("A header without type has none")
    func untyped() throws {
        #expect(try !JOSEHeader(json: #"{"alg":"ES256"}"#.utf8.span).isTyped("at+jwt"))
    }
}
