import Bytes
import HTTP

/// Finds the content of one message in what the connection brings (RFC 9112 §6.3).
struct BodyDecoder {
    enum Event: Equatable {
        case needMore(consumed: Int)
        case body(offset: Int, count: Int, consumed: Int)
        case end(consumed: Int)
        case fault(MessageFault)
    }

    private enum Mode {
        case length(UInt64)
        case chunked(ChunkDecoder)
        case untilClose
    }

    private var mode = Mode.length(0)

    /// Makes a decoder of nothing.
    init() {}

    /// Makes a decoder of content with that framing.
    init(_ framing: BodyFraming, limits: HeadLimits, bodyLimit: UInt64) {
        mode =
            switch framing {
            case .none: .length(0)
            case .length(let count): .length(count)
            case .streamed: .chunked(ChunkDecoder(limits: limits, bodyLimit: bodyLimit))
            case .untilClose: .untilClose
            }
    }

    /// Reads on, up to the next content or the end.
    mutating func next(_ bytes: Span<UInt8>) -> Event {
        switch mode {
        case .length(let remaining):
            guard remaining > 0 else { return .end(consumed: 0) }
            guard !bytes.isEmpty else { return .needMore(consumed: 0) }
            let count = Int(min(remaining, UInt64(bytes.count)))
            mode = .length(remaining - UInt64(count))
            return .body(offset: 0, count: count, consumed: count)
        case .chunked(var decoder):
            // The one place that holds it, so that what it gathers is not copied with every piece.
            mode = .length(0)
            let event = decoder.next(bytes)
            mode = .chunked(decoder)
            return event
        case .untilClose:
            guard !bytes.isEmpty else { return .needMore(consumed: 0) }
            return .body(offset: 0, count: bytes.count, consumed: bytes.count)
        }
    }

    /// Moves the trailers of content that has ended into `table`, which is emptied before.
    ///
    /// - Returns: whether there are any.
    mutating func takeTrailers(into table: inout FieldTable) -> Bool {
        table.removeAll()
        guard case .chunked(var decoder) = mode else { return false }
        decoder.takeTrailers(into: &table)
        mode = .chunked(decoder)
        return table.count > 0
    }

    /// Whether the end of the connection is the end of the content.
    var endsWithConnection: Bool {
        if case .untilClose = mode { return true }
        return false
    }
}
