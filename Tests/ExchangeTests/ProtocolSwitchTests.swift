import Bytes
import HTTP
import Policy
import Testing

@testable import Exchange

@Suite("Connections that change their protocol")
struct ProtocolSwitchTests {
    private func exchange(_ method: String, _ upgrade: String) -> Exchange {
        var exchange = Trial.exchange(method, "/chat")
        exchange.request.upgrade.append(utf8: upgrade)
        return exchange
    }

    private func route(_ upgrades: [String]) throws -> Route {
        let plain = try Trial.route(path: "/chat", scope: nil)
        return Route(
            name: plain.name, match: plain.match, requirement: plain.requirement, forwarding: plain.forwarding,
            upstream: plain.upstream, upgrades: upgrades)
    }

    @Test("A protocol that the route lists is changed to", arguments: ["GET", "CONNECT"])
    func listed(method: String) throws {
        var exchange = exchange(method, "websocket")
        try exchange.settleUpgrade(for: try route(["websocket"]))
        let kept = exchange.request.upgrade.withReadable { $0.equals("websocket") }
        #expect(kept)
    }

    @Test("A WebSocket that it does not list is denied", arguments: ["GET", "CONNECT"])
    func unlisted(method: String) throws {
        var exchange = exchange(method, "websocket")
        let route = try route(["chat"])
        #expect(throws: Denial(.policy, "policy.upgrade")) { try exchange.settleUpgrade(for: route) }
    }

    @Test("Any other offer is ignored; extended CONNECT is no offer")
    func ignored() throws {
        var offer = exchange("GET", "h2c")
        let route = try route([])
        try offer.settleUpgrade(for: route)
        let isIgnored = offer.request.upgrade.isEmpty
        #expect(isIgnored)
        var demand = exchange("CONNECT", "connect-udp")
        #expect(throws: Denial(.policy, "policy.upgrade")) { try demand.settleUpgrade(for: route) }
    }

    /// The head that a client over HTTP/2 gets for a 101 with these fields; nothing where it is none.
    private func translated(_ fields: [(String, String)]) -> [String]? {
        var exchange = exchange("CONNECT", "websocket")
        exchange.begin(identifier: Trial.identifier, traceWords: (1, 2, 3), now: MonotonicTime(nanoseconds: 0))
        var answer = ResponseHead()
        answer.status = 101
        answer.upgrade.append("websocket")
        for (name, value) in fields { answer.fields.append(name: name.utf8.span, value: value.utf8.span) }
        var head = ResponseHead()
        guard exchange.fill(&head, switching: answer) else { return nil }
        #expect(head.status == 200)
        return lines(head.fields)
    }

    @Test("Over HTTP/2 the gateway asks with a key of its own, and takes only the answer to that")
    func key() throws {
        // RFC 6455 §4.2.2 of the key that is made of the request's name, computed by another program.
        let accept = "oc4cF3NX2kzC7zkvtVJPLUWbnQo="
        let protocols = ("Sec-WebSocket-Protocol", "chat")
        let good = try #require(translated([("Sec-WebSocket-Accept", accept), protocols, ("X-Other", "1")]))
        #expect(good == ["sec-websocket-protocol: chat", "x-request-id: \(Trial.identifierText)"])
        #expect(translated([protocols]) == nil)
        #expect(translated([("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), protocols]) == nil)
        #expect(translated([("Sec-WebSocket-Accept", accept), ("Sec-WebSocket-Accept", accept)]) == nil)
    }

    @Test("Over HTTP/2 any 2xx would say yes, so a service that does not agree cannot answer so")
    func agreement() {
        let cases: [(String, UInt16, Bool)] = [
            ("CONNECT", 200, true), ("CONNECT", 204, true), ("CONNECT", 404, false), ("GET", 200, false),
        ]
        for (method, status, switches) in cases {
            var answer = ResponseHead()
            answer.status = status
            let exchange = exchange(method, "websocket")
            let wouldSwitch = exchange.wouldSwitch(by: answer)
            #expect(wouldSwitch == switches)
        }
    }
}
