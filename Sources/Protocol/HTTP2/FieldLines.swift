import Bytes
internal import CNghttp2
import HTTP

/// Lays out field lines as the library takes them (RFC 9113 §8.3), in an array that is used again.
///
/// Lines are pointers: into the head or table, which is borrowed for the whole of the method that lends them and so cannot
/// change or go; into `digits`, which is complete before the first pointer is taken; and at literals. They are forgotten
/// before that method returns, and the library copies what it is given.
@safe
struct FieldLines: ~Copyable {
    private var lines: [nghttp2_nv] = unsafe []
    private var digits = ByteQueue()

    /// Lends the lines of a response head to `body`.
    mutating func lend<R>(
        _ head: borrowing ResponseHead, length: AnswerLength, to body: (UnsafeBufferPointer<nghttp2_nv>) -> R
    ) -> R {
        digits.removeAll()
        digits.append(decimal: UInt64(head.status))
        let statusCount = digits.count
        if case .exactly(let count) = length { digits.append(decimal: count) }

        unsafe lines.append(Self.line(":status", digits.readable.extracting(0..<statusCount)))
        if case .exactly = length {
            unsafe lines.append(Self.line("content-length", digits.readable.extracting(statusCount..<digits.count)))
        }
        fill(head.fields, keepsLength: length == .asGiven)
        defer { unsafe lines.removeAll(keepingCapacity: true) }
        return unsafe lines.withUnsafeBufferPointer(body)
    }

    /// Lends the lines of a request head to `body`.
    mutating func lend<R>(
        _ head: borrowing RequestHead, scheme: StaticString, length: UInt64?,
        to body: (UnsafeBufferPointer<nghttp2_nv>) -> R
    ) -> R {
        digits.removeAll()
        if let length { digits.append(decimal: length) }

        unsafe lines.append(Self.line(":method", head.method.readable))
        unsafe lines.append(Self.line(":scheme", scheme))
        if !head.authority.isEmpty { unsafe lines.append(Self.line(":authority", head.authority.readable)) }
        unsafe lines.append(Self.line(":path", head.target.readable))
        if length != nil { unsafe lines.append(Self.line("content-length", digits.readable)) }
        if head.acceptsTrailers { unsafe lines.append(Self.line("te", "trailers")) }
        fill(head.fields, keepsLength: false)
        defer { unsafe lines.removeAll(keepingCapacity: true) }
        return unsafe lines.withUnsafeBufferPointer(body)
    }

    /// Lends the lines of trailers to `body`.
    mutating func lend<R>(_ trailers: borrowing FieldTable, to body: (UnsafeBufferPointer<nghttp2_nv>) -> R) -> R {
        fill(trailers, keepsLength: false)
        defer { unsafe lines.removeAll(keepingCapacity: true) }
        return unsafe lines.withUnsafeBufferPointer(body)
    }

    // Fields of a connection, and those that the lines above say, are left out.
    private mutating func fill(_ fields: borrowing FieldTable, keepsLength: Bool) {
        var mayKeepLength = keepsLength
        for index in 0..<fields.count {
            switch fields[index].known {
            case .connection, .expect, .host, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade: continue
            case .contentLength:
                guard mayKeepLength else { continue }
                mayKeepLength = false
            case .other where fields.name(index).equals("http2-settings"): continue
            default: break
            }
            let isUnique =
                switch fields[index].known {
                case .dpop, .traceparent, .txnToken, .workloadProofToken, .xRequestID: true
                default: false
                }
            unsafe lines.append(Self.line(fields.name(index), fields.value(index), isUnique: isUnique))
        }
    }

    private static func line(_ name: StaticString, _ value: StaticString) -> nghttp2_nv {
        unsafe line(name, Span(_unsafeStart: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    private static func line(_ name: StaticString, _ value: Span<UInt8>) -> nghttp2_nv {
        unsafe line(Span(_unsafeStart: name.utf8Start, count: name.utf8CodeUnitCount), value)
    }

    // A value that never comes again would only push others out of the peer's table.
    private static func line(_ name: Span<UInt8>, _ value: Span<UInt8>, isUnique: Bool = false) -> nghttp2_nv {
        let flags = isUnique ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
        return unsafe nghttp2_nv(
            name: address(of: name), value: address(of: value), namelen: name.count, valuelen: value.count,
            flags: UInt8(flags.rawValue))
    }

    // The library takes bytes to change but changes none.
    private static func address(of bytes: Span<UInt8>) -> UnsafeMutablePointer<UInt8>? {
        unsafe bytes.withUnsafeBufferPointer { unsafe UnsafeMutablePointer(mutating: $0.baseAddress) }
    }
}
