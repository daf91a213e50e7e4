import Bytes
import HTTP
import Testing

@Suite("HTTPDate")
struct HTTPDateTests {
    @Test(
        "A moment is written as IMF-fixdate",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_795_225_366, "Sat, 21 Nov 2026 01:42:46 GMT"), (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
        ] as [(Int64, String)])
    func writes(seconds: Int64, text: String) {
        var queue = ByteQueue()
        queue.append(httpDate: UnixTime(seconds: seconds))
        let written = String(decoding: Array(copying: queue.readable), as: UTF8.self)
        #expect(written == text)
    }
}
