public import Bytes

/// Where a request stands in a distributed trace (W3C Trace Context §3.2), as the gateway passes it on.
public struct TraceContext: Equatable, Sendable {
    /// The trace, two words; never both zero.
    public let trace: (high: UInt64, low: UInt64)
    /// The gateway's own span; never zero.
    public let span: UInt64
    /// The trace flags that are known: 1 for sampled, 2 for a trace id that is random.
    public let flags: UInt8
    /// Whether the client's trace is continued: only then its `tracestate` is passed on.
    public let isContinued: Bool

    /// All others are reserved, and must be zero in what is passed on (§3.2.2.5).
    private static let knownFlags: UInt8 = 3

    /// Continues the trace of a valid `traceparent`, or starts one.
    ///
    /// - Parameters:
    ///   - parent: the value of the only `traceparent` field, if there was exactly one.
    ///   - words: three unpredictable words: a trace in case one is started, and the span.
    public init(continuing parent: Span<UInt8>?, words: (UInt64, UInt64, UInt64)) {
        span = words.2 | 1
        if let parent, let read = Self.read(parent) {
            trace = (read.high, read.low)
            flags = read.flags
            isContinued = true
        } else {
            trace = (words.0, words.1 | 1)
            flags = 0
            isContinued = false
        }
    }

    /// Reads `00-<32 hex>-<16 hex>-<2 hex>`; a later version may hold more behind it (§3.2.4).
    private static func read(_ text: Span<UInt8>) -> (high: UInt64, low: UInt64, flags: UInt8)? {
        let dash = UInt8(ascii: "-")
        guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = number(text, 0..<2), version != 255, let high = number(text, 3..<19),
            let low = number(text, 19..<35), let parent = number(text, 36..<52), let flags = number(text, 53..<55)
        else { return nil }
        guard high | low != 0, parent != 0 else { return nil }
        guard text.count == 55 || (version != 0 && text[55] == dash) else { return nil }
        return (high, low, UInt8(flags) & knownFlags)
    }

    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var number: UInt64 = 0
        for index in range {
            switch text[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(text[index] - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                number = number << 4 | UInt64(text[index] - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }

    /// Appends the trace id: 32 lower-case hexadecimal digits.
    public func appendTraceIdentifier(to output: inout ByteQueue) {
        output.append(hexadecimal: trace.high)
        output.append(hexadecimal: trace.low)
    }

    /// Appends a `traceparent` of version 00.
    public func appendParent(to output: inout ByteQueue) {
        output.append("00-")
        appendTraceIdentifier(to: &output)
        output.append(UInt8(ascii: "-"))
        output.append(hexadecimal: span)
        output.append(UInt8(ascii: "-"))
        output.append(Hexadecimal.digit(flags >> 4))
        output.append(Hexadecimal.digit(flags & 15))
    }

    /// Compares all parts.
    public static func == (left: TraceContext, right: TraceContext) -> Bool {
        left.trace == right.trace && left.span == right.span && left.flags == right.flags
            && left.isContinued == right.isContinued
    }
}
