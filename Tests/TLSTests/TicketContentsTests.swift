import Bytes
import Testing

@testable import TLS

@Suite("What is in a ticket")
struct TicketContentsTests {
    private let contents = TicketContents(
        authenticatedAt: UnixTime(nanoseconds: 1_800_000_000_123_456_789), serverName: "API.Example",
        chain: [[1, 2, 3], [], [4]])

    @Test("What is written is read")
    func roundTrip() {
        #expect(TicketContents(contents.encoded.span) == contents)
        let empty = TicketContents(authenticatedAt: UnixTime(nanoseconds: -1), serverName: nil, chain: [])
        #expect(TicketContents(empty.encoded.span) == empty)
    }

    @Test("What is cut anywhere but between certificates, or longer, is not read")
    func cut() {
        let bytes = contents.encoded
        // Behind the name, and behind each certificate, the text could end.
        let ends = [24, 31, 35, 40]
        for count in 0...bytes.count {
            #expect((TicketContents(bytes.span.extracting(0..<count)) != nil) == ends.contains(count), "\(count)")
        }
        let longer = bytes + [0]
        #expect(TicketContents(longer.span) == nil)
    }

    @Test("Another version is not read")
    func version() {
        var bytes = contents.encoded
        bytes[0] = 2
        #expect(TicketContents(bytes.span) == nil)
    }

    @Test("A name is the same in any case, and none is none")
    func names() {
        #expect(contents.isFor("api.example"))
        #expect(contents.isFor("api.EXAMPLE"))
        #expect(!contents.isFor("api.example."))
        #expect(!contents.isFor(nil))
        let nameless = TicketContents(authenticatedAt: UnixTime(seconds: 0), serverName: nil, chain: [])
        #expect(nameless.isFor(nil))
        #expect(!nameless.isFor("a"))
    }
}
