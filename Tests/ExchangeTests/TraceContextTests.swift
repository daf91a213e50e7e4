import Bytes
import Testing

@testable import Exchange

@Suite("The trace context")
struct TraceContextTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func read(_ parent: String?, words: (UInt64, UInt64, UInt64) = (1, 2, 4)) -> TraceContext {
        guard let parent else { return TraceContext(continuing: nil, words: words) }
        return TraceContext(continuing: parent.utf8.span, words: words)
    }

    private func written(_ context: TraceContext) -> String {
        var output = ByteQueue()
        context.appendParent(to: &output)
        return text(output)
    }

    @Test("A trace is continued with a span of our own")
    func continued() {
        let context = read(Self.parent)
        #expect(context.isContinued)
        #expect(context.trace == (0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c))
        #expect(written(context) == "00-0af7651916cd43dd8448eb211c80319c-0000000000000005-01")
        var trace = ByteQueue()
        context.appendTraceIdentifier(to: &trace)
        #expect(text(trace) == "0af7651916cd43dd8448eb211c80319c")
    }

    @Test(
        "A malformed parent starts another trace",
        arguments: [
            "", "garbage", "00", String(parent.dropLast()), parent + "0", parent + "-more", parent.uppercased(),
            "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333G-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, \(parent)",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        ])
    func malformed(parent: String) {
        let context = read(parent)
        #expect(!context.isContinued)
        #expect(context == read(nil))
        #expect(written(context) == "00-00000000000000010000000000000003-0000000000000005-00")
    }

    @Test(
        "A later version is read as far as it is known, and passed on as version 00",
        arguments: ["01", "cc", "fe"], ["", "-", "-what-comes-then"])
    func laterVersion(version: String, rest: String) {
        let context = read(version + Self.parent.dropFirst(2) + rest)
        #expect(context.isContinued)
        #expect(written(context) == "00-0af7651916cd43dd8448eb211c80319c-0000000000000005-01")
    }

    @Test(
        "Flags that are not known are passed on as zero",
        arguments: [("00", "00"), ("01", "01"), ("ff", "03"), ("f8", "00")])
    func flags(given: String, passed: String) {
        #expect(written(read(Self.parent.dropLast(2) + given)).hasSuffix("-" + passed))
    }

    @Test("What is started is never all zero")
    func started() {
        let context = read(nil, words: (0, 0, 0))
        #expect(context.trace == (0, 1))
        #expect(context.span == 1)
        #expect(written(context) == "00-00000000000000000000000000000001-0000000000000001-00")
        #expect(context != read(nil, words: (0, 0, 2)))
        #expect(context != read(nil, words: (4, 0, 0)))
        #expect(context == read(nil, words: (0, 1, 1)))
    }

    @Test("A parent that comes twice is none, even if both say the same")
    func twice() {
        let one = Trial.exchange("GET", "/", [("traceparent", Self.parent)])
        let two = Trial.exchange("GET", "/", [("traceparent", Self.parent), ("Traceparent", Self.parent)])
        let (continues, starts) = (one.trace.isContinued, !two.trace.isContinued)
        #expect(continues)
        #expect(starts)
    }
}
