import Bytes
import Testing

@testable import sallyport

@Suite("What sallyport revoke and status show")
struct AdminTextTests {
    private func answer(_ json: String) -> AdminClient.Answer {
        AdminClient.Answer(status: 200, body: Array(json.utf8))
    }

    private func text(
        _ receipt: RevocationReceiptText, _ change: (inout RevocationRequest) -> Void = { _ in }
    ) throws
        -> String
    {
        var request = try RevocationRequest(level: "agent", value: "x")
        change(&request)
        return receipt.text(of: request, way: "--config 'a b.yaml'")
    }

    @Test("A receipt says since when, what was closed and how to take it back")
    func receipt() throws {
        let receipt = try RevocationReceiptText(
            answer(#"{"id":"a-1","effective_at":"2027-01-15T08:00:00.000001Z","connections_closed":1}"#))
        #expect(
            try text(receipt) == """
                revoked agent x: in force on every worker since 2027-01-15T08:00:00.000001Z; 1 connection closed
                id: a-1 (to take it back: sallyport revoke --config 'a b.yaml' --undo a-1)

                """)
        let several = try RevocationReceiptText(
            answer(#"{"id":"a","ids":["a","b"],"effective_at":"x","connections_closed":0}"#))
        let told = try text(several) { $0.isAllOf = true }
        #expect(told.hasPrefix("revoked all of agent x: "))
        #expect(
            told.hasSuffix(
                "0 connections closed\nids: a b (to take it back: sallyport revoke --config 'a b.yaml' --undo a --undo b)\n"
            ))
    }

    @Test("A receipt says until when, and which calls were ended, where the gateway does")
    func wholeReceipt() throws {
        let receipt = try RevocationReceiptText(
            answer(
                #"{"id":"a","effective_at":"x","connections_closed":0,"calls_ended":2,"expires_at":"2027-01-15T08:00:00Z"}"#
            ))
        let told = "since x, until 2027-01-15T08:00:00Z; 0 connections closed, 2 calls ended\n"
        #expect(try text(receipt).contains(told))
        let later = "it was revoked for longer before, and the later end stays\n"
        let end = UnixTime(seconds: 1_800_000_000)
        let asAsked = try text(receipt) { $0.expiresAt = end }
        #expect(asAsked.contains(told + "id: a"))
        let longer = try text(receipt) { $0.expiresAt = end - .seconds(3600) }
        #expect(longer.contains(told + later + "id: a"))
    }

    @Test("A preview counts, and names agents")
    func preview() throws {
        let none = try RevocationPreviewText(answer(#"{"connections":0,"calls":0,"agents":[]}"#))
        #expect(
            none.text(of: "everything") == "to revoke everything would end 0 connections and 0 calls of 0 agents now\n")
        let some = try RevocationPreviewText(
            answer(#"{"connections":3,"calls":1,"agents":["a","b\u001b[2J"],"agent_count":5}"#))
        #expect(
            some.text(of: "task t") == """
                to revoke task t would end 3 connections and 1 call of 5 agents now:
                  a
                  b?[2J
                  and 3 more

                """)
    }

    @Test("An answer that is none is not taken for one", arguments: ["", "{}", "[]", "{\"id\":5}", "null"])
    func unknown(_ json: String) {
        #expect(throws: CommandFailure.self) { try RevocationReceiptText(answer(json)) }
        #expect(throws: CommandFailure.self) { try RevocationPreviewText(answer(json)) }
        #expect(throws: CommandFailure.self) { try RevocationListText(answer(json)) }
        #expect(throws: CommandFailure.self) { try StatusText(answer(json)) }
    }

    @Test("A list has a row an entry")
    func list() throws {
        let page = try RevocationListText(
            answer(
                #"{"revocations":[{"id":"i","level":"token","value":"j","issuer":"https://b","source":"admin","created_at":"c","expires_at":"e"}],"next":"i","total":9}"#
            ))
        #expect(page.rows == [["i", "token", "j (of https://b)", "admin", "-", "c", "e", "-"]])
        #expect(page.entries.first?.hasPrefix(#"{"id":"i","level":"token""#) == true)
        #expect(page.next == "i")
    }

    @Test("Columns are as wide as they need to be")
    func table() {
        #expect(TerminalText.table([["A", "BB"], ["ccc", "d"], ["e"]]) == "A    BB\nccc  d\ne\n")
        #expect(TerminalText.table([]) == "")
    }

    @Test("The state is told in a few lines")
    func status() throws {
        let status = try StatusText(
            answer(
                """
                {"state":"ready","started_at":"s","configuration":{"sha256":"ab","loaded_at":"l"},"workers":2,
                "connections":{"open":3,"limit":10},"calls":{"allowed":199,"denied":1,"current":2},"live_agents":1,
                "listeners":[{"name":"agents","address":"0.0.0.0:8443"}],
                "issuers":[{"issuer":"https://b","profile":"oauth","key_source":"url","keys":2,"key_age_seconds":130,
                "usable":true}],"revocations":{"entries":3,"by_source":{"admin":2,"feed:x":1}},
                "feeds":[{"name":"x","type":"set_poll","stale":true,"last_failure":"gone"}],
                "revocation_lists":[{"name":"d","age_seconds":7300,"expired":false,"entries":4}],
                "audit":{"healthy":true}}
                """))
        #expect(status.isReady)
        #expect(
            status.text == """
                state          ready
                serving since  s
                configuration  SHA-256 ab, loaded l
                connections    3 open, by 1 agent (at most 10)
                calls          199 allowed, 1 denied (99 % allowed), 2 under way
                revocations    3 (admin 2, feed:x 1)

                LISTENER  ADDRESS
                agents    0.0.0.0:8443

                ISSUER     PROFILE  KEYS      AGE     STATE
                https://b  oauth    2 by url  2m ago  usable

                FEED  TYPE      HEARD  ENTRIES  STATE
                x     set_poll  -      -        STALE (gone)

                REVOCATION LIST  SIGNED  ENTRIES  STATE
                d                2h ago  4        current

                """)
    }

    @Test("A gateway that should not be called says why")
    func notReady() throws {
        let status = try StatusText(
            answer(#"{"state":"not-ready","reason":"no keys","started_at":"s","audit":{"healthy":false}}"#))
        #expect(!status.isReady)
        #expect(
            status.text == """
                state          not-ready: no keys
                serving since  s
                audit          THE LOG CANNOT BE WRITTEN; look at its disk

                """)
    }
}
