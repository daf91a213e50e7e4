import HTTP
import Testing

@testable import Exchange

@Suite("A denial")
struct DenialTests {
    @Test("A message over a limit is denied with the status for that limit, and ends its connection")
    func limits() {
        let statuses: [MessageFault: UInt16] = [
            .contentTooLarge: 413, .targetTooLong: 414, .fieldsTooLarge: 431, .tooManyFields: 431,
        ]
        for (fault, status) in statuses {
            let expected = Denial(.tooLarge, fault.rawValue, status: status, closesConnection: true)
            #expect(Denial(fault) == expected)
        }
    }

    @Test(
        "Any other fault of a message is malformed, and ends its connection",
        arguments: [MessageFault.framing, .transferEncoding, .contentLength, .host, .connect, .truncated])
    func malformed(fault: MessageFault) {
        #expect(Denial(fault) == Denial(.malformedRequest, fault.rawValue, status: 400, closesConnection: true))
    }

    @Test("An expectation that cannot be met has a status of its own")
    func expectation() {
        #expect(Denial(.expectation).status == 417)
        #expect(Denial(.expectation).code == .malformedRequest)
    }

    @Test("The status is that of the code where none is said")
    func status() {
        #expect(Denial(.noRoute, "x").status == 404)
        #expect(Denial(.noRoute, "x", status: 410).status == 410)
        #expect(!Denial(.noRoute, "x").closesConnection)
    }
}
