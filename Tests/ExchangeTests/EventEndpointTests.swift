import Bytes
import Configuration
import Cryptography
import HTTP
import Limits
import Support
import Testing
import Tokens

@testable import Exchange

@Suite("Where security events are pushed to")
struct EventEndpointTests {
    private func reception(
        type: String?, authorization: [String] = [], expecting secret: String? = nil
    ) -> EventReception {
        var request = RequestHead()
        if let type { request.fields.append(.contentType, value: type.utf8.span) }
        for value in authorization { request.fields.append(.authorization, value: value.utf8.span) }
        let endpoint = EventEndpoint(
            feed: "signals", path: "/events", authorization: secret.map { ClientSecret(Array($0.utf8)) })
        return EventReception(endpoint, request: request)
    }

    @Test(
        "The content must say that it is a security event token",
        arguments: [
            ("application/secevent+jwt", true), ("Application/SecEvent+JWT", true), ("application/jwt", false),
            ("application/secevent+jwt2", false),
        ])
    func type(type: String, isRight: Bool) {
        #expect(reception(type: type).isOfRightType == isRight)
    }

    @Test("Without a type it is none")
    func noType() {
        #expect(!reception(type: nil).isOfRightType)
    }

    @Test("One authorization is taken along, and of two neither")
    func authorization() {
        #expect(reception(type: nil, authorization: ["Bearer a"]).authorization == "Bearer a")
        #expect(reception(type: nil, authorization: ["Bearer a", "Bearer b"]).authorization == nil)
    }

    @Test(
        "Who delivers must show what is expected, once, where something is",
        arguments: [
            (["Bearer a"], true), ([], false), (["Bearer b"], false), (["bearer a"], false), (["Bearer a "], false),
            (["Bearer a", "Bearer a"], false), ([""], false),
        ])
    func authorized(values: [String], isAuthorized: Bool) {
        #expect(reception(type: nil, authorization: values, expecting: "Bearer a").isAuthorized == isAuthorized)
        #expect(reception(type: nil, authorization: values).isAuthorized)
    }

    @Test("A delivery is counted by the limits of its listener, unless who sends it may not deliver")
    func limits() throws {
        let trial = try Trial.standard()
        var listener = trial.listener()
        listener.limits = LimitScope(
            .listener, name: "agents", settings: LimitSettings(own: RateLimit(requestsPerSecond: 1, burst: 2)))
        let endpoint = EventEndpoint(
            feed: "signals", path: "/events", authorization: ClientSecret(Array("Bearer a".utf8)))
        let connection = trial.connection(peer: trial.peer, rules: ListenerRules(listener, events: [endpoint]))
        let gatekeeper = Gatekeeper(
            engine: try CryptographicEngine(), memory: Trial.memory(), limits: Trial.limits())
        let snapshot = try trial.snapshot()
        func deliver(_ authorization: String) throws -> Bool? {
            var exchange = Trial.exchange(
                "POST", "/events", authority: Trial.authority, [("Authorization", authorization)])
            do throws(Denial) {
                switch try gatekeeper.judge(&exchange, from: connection, under: snapshot, now: Broker.now) {
                case .receives(let reception): return reception.isAuthorized
                case .asks: throw Denial(.policy, "asks")
                case .permitted: throw Denial(.policy, "permitted")
                case .serves: throw Denial(.policy, "serves")
                }
            } catch {
                #expect(error.code == .rateLimited)
                #expect(error.status == 429)
                return nil
            }
        }
        for _ in 0..<5 { #expect(try deliver("Bearer b") == false) }
        #expect(try deliver("Bearer a") == true)
        #expect(try deliver("Bearer a") == true)
        #expect(try deliver("Bearer a") == nil)
        #expect(try deliver("Bearer b") == false)
    }

    @Test("Content up to the limit is taken, and not a byte more")
    func limit() {
        var reception = reception(type: nil)
        let most = [UInt8](repeating: 0x61, count: EventEndpoint.bodyLimit)
        let isTaken = reception.append(most.span)
        #expect(isTaken)
        #expect(reception.body.count == EventEndpoint.bodyLimit)
        let one: [UInt8] = [0x61]
        let isMoreTaken = reception.append(one.span)
        #expect(!isMoreTaken)
        #expect(reception.body.count == EventEndpoint.bodyLimit)
    }
}
