import Bytes
import HTTP
import Support
import Testing

@testable import Exchange

@Suite("An exchange")
struct ExchangeTests {
    @Test("One that was reset holds nothing of the request before")
    func reset() throws {
        let trial = try Trial.standard()
        let token = ("Authorization", "Bearer \(try trial.token())")
        var exchange = Trial.exchange("GET", "/orders/7?q", [token])
        _ = try trial.judge(&exchange, from: trial.connection(peer: trial.peer), under: trial.snapshot())
        let wasKnown =
            exchange.hasTarget && exchange.claims != nil && exchange.route != nil && exchange.grant != nil
            && !exchange.possession.isEmpty
        #expect(wasKnown)
        exchange.reset()
        let isKnown =
            exchange.hasTarget || exchange.claims != nil || exchange.route != nil || exchange.grant != nil
            || !exchange.possession.isEmpty
        let isEmpty =
            exchange.request.method.isEmpty && exchange.request.target.isEmpty && exchange.request.authority.isEmpty
            && exchange.request.fields.count == 0
        #expect(!isKnown)
        #expect(isEmpty)
    }

    @Test("It has a target once one was normalised, and none after one that could not be")
    func target() throws {
        var exchange = Exchange()
        let atFirst = exchange.hasTarget
        try exchange.target.normalize("/".utf8.span)
        let afterwards = exchange.hasTarget
        #expect(throws: TargetError.form) { try exchange.target.normalize("x".utf8.span) }
        let inTheEnd = exchange.hasTarget
        #expect(!atFirst)
        #expect(afterwards)
        #expect(!inTheEnd)
    }

    @Test("What is handed to it at its beginning is kept")
    func begin() {
        let exchange = Trial.exchange()
        let (identifier, receivedAt) = (exchange.identifier, exchange.receivedAt)
        #expect(identifier == Trial.identifier)
        #expect(receivedAt == MonotonicTime(nanoseconds: 5))
    }
}
