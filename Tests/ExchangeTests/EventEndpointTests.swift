import Bytes
import HTTP
import Testing

@testable import Exchange

@Suite("Where security events are pushed to")
struct EventEndpointTests {
    private func reception(type: String?, authorization: [String] = []) -> EventReception {
        var request = RequestHead()
        if let type { request.fields.append(.contentType, value: type.utf8.span) }
        for value in authorization { request.fields.append(.authorization, value: value.utf8.span) }
        return EventReception(EventEndpoint(feed: "signals", path: "/events"), request: request)
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
