import CNghttp2

/// Decompresses the field blocks of one connection in order (RFC 7541).
///
/// The handle is made and freed here only.
@safe
final class FieldBlockReader {
    private var handle: OpaquePointer?

    init() {
        _ = unsafe nghttp2_hd_inflate_new(&handle)
    }

    deinit {
        unsafe nghttp2_hd_inflate_del(handle)
    }

    /// The lines of one whole block as `name: value`; nothing where it is malformed.
    func read(_ block: [UInt8]) -> [String]? {
        var lines: [String] = []
        var rest = block[...]
        while true {
            var line = unsafe nghttp2_nv()
            var flags: Int32 = 0
            let used = unsafe rest.withUnsafeBufferPointer {
                unsafe nghttp2_hd_inflate_hd2(handle, &line, &flags, $0.baseAddress, $0.count, 1)
            }
            guard used >= 0 else { return nil }
            rest = rest.dropFirst(used)
            if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                let name = unsafe String(
                    decoding: UnsafeBufferPointer(start: line.name, count: line.namelen), as: UTF8.self)
                let value = unsafe String(
                    decoding: UnsafeBufferPointer(start: line.value, count: line.valuelen), as: UTF8.self)
                lines.append("\(name): \(value)")
            }
            if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 {
                unsafe nghttp2_hd_inflate_end_headers(handle)
                return lines
            }
            if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) == 0, rest.isEmpty { return lines }
        }
    }
}
