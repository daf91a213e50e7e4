import Cryptography
import Support
import Testing

@testable import Tokens

@Suite("The claim status")
struct StatusReferenceTests {
    /// What a token with that claim says of its status.
    private func status(_ claim: String?) throws -> Result<StatusReference?, TokenRejection> {
        let broker = try Broker.standard()
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 0)
        let token = try broker.token(["status": claim])
        let table = try broker.table()
        return Result { () throws(TokenRejection) in
            try verifier.verify(token.span, among: table, subjectsWithin: nil, now: Broker.now).claims.statusReference
        }
    }

    @Test("It names a place in a list")
    func place() throws {
        let claim = #"{"status_list":{"idx":412,"uri":"https://example.com/statuslists/1"}}"#
        #expect(
            try status(claim) == .success(StatusReference(uri: "https://example.com/statuslists/1", index: 412)))
    }

    @Test("Without it, or with other mechanisms alone, a token names none", arguments: [nil, "{}", #"{"other":{}}"#])
    func none(claim: String?) throws {
        #expect(try status(claim) == .success(nil))
    }

    @Test(
        "What is malformed refuses the token",
        arguments: [
            #""valid""#, "0", "null", "[]", #"{"status_list":1}"#, #"{"status_list":{}}"#,
            #"{"status_list":{"idx":0}}"#, #"{"status_list":{"uri":"https://a/1"}}"#,
            #"{"status_list":{"idx":-1,"uri":"https://a/1"}}"#, #"{"status_list":{"idx":"0","uri":"https://a/1"}}"#,
            #"{"status_list":{"idx":1.5,"uri":"https://a/1"}}"#,
            #"{"status_list":{"idx":2147483648,"uri":"https://a/1"}}"#,
            #"{"status_list":{"idx":0,"uri":""}}"#, #"{"status_list":{"idx":0,"uri":"https://a/ 1"}}"#,
            #"{"status_list":{"idx":0,"uri":7}}"#,
        ])
    func malformed(claim: String) throws {
        #expect(try status(claim) == .failure(.invalid(.status)))
    }

    @Test("A URI may be long, but not longer")
    func length() throws {
        let longest = "https://a/" + String(repeating: "b", count: 2038)
        #expect(
            try status(#"{"status_list":{"idx":2147483647,"uri":"\#(longest)"}}"#)
                == .success(StatusReference(uri: longest, index: Int(Int32.max))))
        #expect(try status(#"{"status_list":{"idx":0,"uri":"\#(longest)b"}}"#) == .failure(.invalid(.status)))
    }
}
