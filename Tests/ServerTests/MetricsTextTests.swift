import Testing

@testable import Server

@Suite("Metrics as text")
struct MetricsTextTests {
    @Test("A metric has its help, its kind, and a line a sample")
    func samples() {
        var metrics = MetricsText()
        metrics.add(
            "sallyport_revocations", .gauge, help: "Entries in force.",
            [.init(2, [("source", "admin")]), .init(0.5, [("source", "feed:a")])])
        #expect(
            metrics.text == """
                # HELP sallyport_revocations Entries in force.
                # TYPE sallyport_revocations gauge
                sallyport_revocations{source="admin"} 2
                sallyport_revocations{source="feed:a"} 0.5

                """)
    }

    @Test("Nothing stands there for a metric without samples")
    func none() {
        var metrics = MetricsText()
        metrics.add("sallyport_none", .counter, help: "None.", [])
        #expect(metrics.text.isEmpty)
    }

    @Test("A label's value cannot end its quotes or its line")
    func escapes() {
        var metrics = MetricsText()
        metrics.add("m", .counter, help: "h", [.init(1, [("l", "a\"b\\c\nd")])])
        #expect(metrics.text.hasSuffix("m{l=\"a\\\"b\\\\c\\nd\"} 1\n"))
    }
}
