import Bytes
import Testing

@testable import Control

@Suite("Freshness")
struct FreshnessTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    @Test(
        "Cache-Control says how long an answer stays fresh, less its age",
        arguments: [
            ("max-age=60", nil, 60), ("public, Max-Age=60, immutable", nil, 60), ("max-age=\"60\"", nil, 60),
            ("max-age=60, max-age=30", nil, 30), ("max-age=60", "10", 50), ("max-age=60", "70", 0),
            ("max-age=60", "soon", 60), ("max-age=99999999999999999999", nil, 1 << 31),
        ] as [(String, String?, Int64)])
    func readsMaximumAge(control: String, age: String?, seconds: Int64) {
        var fields = ["cache-control": control]
        fields["age"] = age
        #expect(Freshness.lifetime(fields) == .seconds(seconds))
    }

    @Test("Expires and Date say it where Cache-Control does not")
    func readsExpiry() {
        var fields = ["date": Self.date, "expires": "Sun, 06 Nov 1994 08:51:37 GMT"]
        #expect(Freshness.lifetime(fields) == .seconds(120))
        fields["age"] = "20"
        #expect(Freshness.lifetime(fields) == .seconds(100))
        fields["cache-control"] = "max-age=50"
        #expect(Freshness.lifetime(fields) == .seconds(30))
    }

    @Test(
        "What says nothing usable says nothing",
        arguments: [
            [:], ["cache-control": "max-age=0"], ["cache-control": "no-store"], ["cache-control": "s-maxage=60"],
            ["cache-control": "max-age=-1"], ["cache-control": "max-age="], ["cache-control": "max-age"],
            ["cache-control": "max-age=1.5"], ["cache-control": "x-max-age=60"],
            ["expires": "Sun, 06 Nov 1994 08:51:37 GMT"], ["date": date, "expires": "0"],
            ["date": date, "expires": date],
            ["date": date, "expires": "Sun, 06 Nov 1994 08:48:37 GMT"], ["date": "x", "expires": date],
        ] as [[String: String]])
    func passesOver(fields: [String: String]) {
        #expect(Freshness.lifetime(fields) == nil)
    }

    @Test(
        "Dates are read as HTTP writes them",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ])
    func readsDates(text: String, seconds: Int64) {
        #expect(DateReader.read(text) == UnixTime(seconds: seconds))
    }

    @Test(
        "Other spellings are no dates",
        arguments: [
            "", "0", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
        ])
    func refusesDates(text: String) {
        #expect(DateReader.read(text) == nil)
    }
}
