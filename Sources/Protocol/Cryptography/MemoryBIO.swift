import COpenSSL

/// A block of memory that OpenSSL writes text to, or reads it from.
@safe
struct MemoryBIO: ~Copyable {
    private let handle: OpaquePointer

    /// Makes an empty block that is wiped when it is freed.
    init?() {
        guard let handle = unsafe BIO_new(BIO_s_secmem()) else { return nil }
        unsafe self.handle = handle
    }

    deinit {
        unsafe BIO_free_all(handle)
    }

    /// Runs `body` with the `BIO`.
    borrowing func withHandle<R>(_ body: (OpaquePointer) -> R) -> R {
        unsafe body(handle)
    }

    /// What was written.
    borrowing func contents() -> [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe BIO_ctrl(handle, BIO_CTRL_INFO, 0, &start)
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }

    /// What was written, as text.
    borrowing func text() -> String {
        String(decoding: contents(), as: UTF8.self)
    }

    /// Runs `body` with a `BIO` from which `bytes` can be read, or nothing where there is no memory for it.
    static func reading<R, E: Error>(
        _ bytes: Span<UInt8>, _ body: (OpaquePointer) throws(E) -> R
    ) throws(E) -> R? {
        unsafe try bytes.withUnsafeBufferPointer { (bytes) throws(E) in
            guard let handle = unsafe BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else {
                return nil
            }
            defer { unsafe BIO_free_all(handle) }
            return unsafe try body(handle)
        }
    }
}
