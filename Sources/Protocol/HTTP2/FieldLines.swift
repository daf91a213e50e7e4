import Bytes
internal import CNghttp2
import HTTP

/// Lays out an answer's field lines as the library takes them (RFC 9113 §8.3.2), in an array that is used again.
///
/// Lines are pointers: into the head, which is borrowed for the whole of ``lend(_:length:to:)`` and so cannot change or go;
/// into `digits`, which is complete before the first pointer is taken; and at literals. They are forgotten before that
/// method returns, and the library copies what it is given.
@safe
struct ResponseFields: ~Copyable {
    private var lines: [nghttp2_nv] = unsafe []
    private var digits = ByteQueue()

    /// Lends the lines of `head` to `body`.
    mutating func lend(
        _ head: borrowing ResponseHead, length: AnswerLength, to body: (UnsafeBufferPointer<nghttp2_nv>) -> Bool
    ) -> Bool {
        fill(head, length)
        defer { unsafe lines.removeAll(keepingCapacity: true) }
        return unsafe lines.withUnsafeBufferPointer(body)
    }

    private mutating func fill(_ head: borrowing ResponseHead, _ length: AnswerLength) {
        digits.removeAll()
        digits.append(decimal: UInt64(head.status))
        let statusCount = digits.count
        if case .exactly(let count) = length { digits.append(decimal: count) }

        unsafe lines.append(Self.line(":status", digits.readable.extracting(0..<statusCount)))
        if case .exactly = length {
            unsafe lines.append(Self.line("content-length", digits.readable.extracting(statusCount..<digits.count)))
        }
        var mayKeepLength = length == .asGiven
        for index in 0..<head.fields.count {
            switch head.fields[index].known {
            case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade: continue
            case .contentLength:
                guard mayKeepLength else { continue }
                mayKeepLength = false
            default: break
            }
            let isUnique = head.fields[index].known == .xRequestID
            unsafe lines.append(Self.line(head.fields.name(index), head.fields.value(index), isUnique: isUnique))
        }
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
