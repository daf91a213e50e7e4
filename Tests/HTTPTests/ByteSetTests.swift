import HTTP
import Testing

@Suite("ByteSet")
struct ByteSetTests {
    static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    @Test(
        "A set holds exactly the characters that its source lists",
        arguments: [
            (ByteSet.token, "!#$%&'*+-.^_`|~"), (ByteSet.unreserved, "-._~"),
            (ByteSet.pathSegment, "-._~!$&'()*+,=:@"), (ByteSet.query, "-._~!$&'()*+,;=:@/?[]{}|^`"),
            (ByteSet.hostName, "-._"), (ByteSet.visible, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        ])
    func holds(set: ByteSet, marks: String) {
        let members = Set((Self.alphanumeric + marks).utf8)
        for byte in UInt8.min...UInt8.max { #expect(set.contains(byte) == members.contains(byte), "\(byte)") }
    }

    @Test("Field content is everything but controls, and tab")
    func fieldContent() {
        for byte in UInt8.min...UInt8.max {
            #expect(byte.isFieldContent == ((byte >= 0x20 && byte != 0x7F) || byte == 9), "\(byte)")
        }
    }

    @Test("Nothing is not made of members")
    func empty() {
        let held = ["", "GET", "G T"].map { ByteSet.token.holdsAll(of: Array($0.utf8).span) }
        #expect(held == [false, true, false])
    }
}
