import Bytes
import Testing

@testable import sallyport

@Suite("InstantText")
struct InstantTextTests {
    @Test(
        "A moment is read",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-21T01:22:46Z", 1_795_224_166_000_000_000),
            ("2026-11-21t01:22:46z", 1_795_224_166_000_000_000),
            ("2026-11-21T02:22:46+01:00", 1_795_224_166_000_000_000),
            ("2026-11-20T20:52:46-04:30", 1_795_224_166_000_000_000),
            ("2026-11-21T01:22:46.5Z", 1_795_224_166_500_000_000), ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
        ] as [(String, Int64)])
    func read(_ text: String, _ nanoseconds: Int64) {
        #expect(InstantText.time(text) == UnixTime(nanoseconds: nanoseconds))
    }

    @Test(
        "What is no moment is not",
        arguments: [
            "", "now", "2026-11-21", "2026-11-21T01:22:46", "2026-11-21T01:22:46Z ", "2026-13-21T01:22:46Z",
            "2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-21T24:00:00Z",
            "2026-11-21T01:60:46Z", "2026-11-21T01:22:46.Z", "2026-11-21T01:22:46+1:00", "9999-11-21T01:22:46Z",
        ])
    func refuse(_ text: String) {
        #expect(InstantText.time(text) == nil)
    }
}
