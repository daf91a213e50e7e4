import Bytes
import Cryptography
import Foundation
import JSON
import Testing

@testable import sallyport

@Suite("DelegationChain")
struct DelegationChainTests {
    /// The key whose seed is the bytes 0 to 31.
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
        -----END PRIVATE KEY-----

        """

    private func delegator(records: [String] = []) -> TrialDelegator {
        TrialDelegator(
            spiffeID: "spiffe://agentwrit.local/agent/orch/task/0011223344556677",
            scopes: ["read:data:*", "write:data:*"], orchestration: "orch", task: "task", sponsor: nil,
            expiry: UnixTime(seconds: 1_771_156_900), records: records)
    }

    private func chain(
        _ forgery: DelegationForgery? = nil, records: [String] = [], nanoseconds: Int64 = 123_456_789
    ) throws -> DelegationChain {
        try DelegationChain(
            from: delegator(records: records), signedBy: PrivateKey(pem: Self.key.utf8.span), forging: forgery,
            now: UnixTime(nanoseconds: 1_771_156_800_000_000_000 + nanoseconds))
    }

    /// Worked out by hand from what the AgentWrit broker does.
    private static let record = """
        {"agent":"spiffe://agentwrit.local/agent/orch/task/0011223344556677","scope":["read:data:*","write:data:*"],\
        "delegated_at":"2026-02-15T12:00:00.123456789Z",\
        "signature":"a934d1559f22a3c7b1a96eb1136fc56bc13974c4563e9dffd92629b64f7bba214c5b75ae1cca89c812452b9ce6b26481a593\
        d36b755ad4040e056b8c11482a05"}
        """

    @Test("A record is what AgentWrit's broker would write, to the byte")
    func vector() throws {
        let chain = try chain()
        #expect(chain.json == "[\(Self.record)]")
        #expect(chain.hash == "4caac56e12fa3b17a98f7bb96e13ce26eea3f2d150a3c1e2bfca479af13f6fe4")
    }

    @Test("A later record stands behind those before it, which stay as they are")
    func appends() throws {
        let chain = try chain(records: ["{\"agent\": \"first\"}", "{}"])
        #expect(chain.json == "[{\"agent\": \"first\"},{},\(Self.record)]")
        #expect(try chain.hash == CryptographicEngine().sha256(chain.json.utf8.span).hexadecimal)
    }

    @Test(
        "A moment is written to its last digit that is not zero",
        arguments: [
            (0, "12:00:00Z"), (500_000_000, "12:00:00.5Z"), (1, "12:00:00.000000001Z"), (1000, "12:00:00.000001Z"),
        ])
    func moments(_ nanoseconds: Int64, _ written: String) throws {
        #expect(try chain(nanoseconds: nanoseconds).json.contains("\"delegated_at\":\"2026-02-15T\(written)\""))
    }

    @Test("A tampered record holds what was not signed, under the signature of what was")
    func tampered() throws {
        let forged = try chain(.tamper)
        #expect(forged.json.contains("\"read:data:*\",\"write:data:*\",\"write:tasks:*\""))
        #expect(forged.json.suffix(142) == Self.record.suffix(141) + "]")
        #expect(try forged.hash == CryptographicEngine().sha256(forged.json.utf8.span).hexadecimal)
    }

    @Test("Widening leaves the records as they are: the token's own grants are what is wrong")
    func widened() throws {
        #expect(try chain(.widen).json == chain().json)
    }
}
