import Bytes
import Testing

@testable import Exchange

@Suite("A request identifier")
struct RequestIdentifierTests {
    @Test("It is 32 hexadecimal digits, leading zeros included")
    func digits() {
        for (identifier, expected) in [
            (Trial.identifier, Trial.identifierText),
            (RequestIdentifier(0, 1), "00000000000000000000000000000001"),
            (RequestIdentifier(.max, 0), "ffffffffffffffff0000000000000000"),
        ] {
            var output = ByteQueue()
            identifier.append(to: &output)
            #expect(text(output) == expected)
        }
    }
}
