import Bytes
import Testing

@Suite("The spelling of base64url")
struct Base64URLSpellingTests {
    private func decode(_ text: String) -> [UInt8]? { Base64URL.decode(text.utf8.span) }

    @Test("Bytes of every value and number come back")
    func roundTrip() {
        for count in 0..<260 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) }
            #expect(decode(Base64URL.encode(bytes.span)) == bytes)
        }
    }

    @Test("P2, J14: In no place is any byte allowed but the 64 of the alphabet")
    func alphabet() {
        let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for byte in UInt8.min...UInt8.max {
            for (place, count) in [(0, 4), (1, 4), (2, 4), (3, 4), (4, 6), (4, 7), (5, 7), (7, 8)] {
                var text = [UInt8](repeating: UInt8(ascii: "A"), count: count)
                text[place] = byte
                #expect((Base64URL.decode(text.span) != nil) == alphabet.contains(byte), "\(byte) at \(place)")
            }
        }
    }

    @Test("P2: One value has one spelling: no length that is impossible, no bits to spare", arguments: ["A", "AAAAA"])
    func canonical(text: String) {
        #expect(decode(text) == nil)
        #expect(decode("AA") == [0] && decode("AB") == nil && decode("AP") == nil && decode("AQ") == [1])
        #expect(decode("AAA") == [0, 0] && decode("AAB") == nil && decode("AAD") == nil && decode("AAE") == [0, 1])
        #expect(decode("AAAAAB") == nil && decode("AAAAAAB") == nil && decode("AA==") == nil && decode("AA A") == nil)
    }
}
