public import Bytes
internal import COpenSSL
internal import CShims

/// The ciphertext side of the sessions of one thread: where they read from and write to while they are called.
///
/// Sessions are fed and drained with bytes; they know no sockets. All sessions of a thread share one wire, since only one
/// of them runs at a time, so an idle connection holds no buffers.
@safe
public final class TLSWire {
    /// Ciphertext that sessions have produced; the driver sends and empties it after each call to a session.
    public var output = ByteQueue()

    /// What is left of the ciphertext that is being fed; valid only during ``TLSSession/receive(_:now:into:)``.
    fileprivate var input: UnsafePointer<UInt8>?
    fileprivate var inputCount = 0

    /// Makes an empty wire.
    public init() {
        unsafe input = nil
    }

    /// The number of fed bytes that nobody has read yet.
    var unread: Int { inputCount }

    /// Offers `bytes` to the sessions while `body` runs.
    func feeding<R>(_ bytes: Span<UInt8>, _ body: () -> R) -> R {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe input = buffer.baseAddress
            inputCount = buffer.count
            defer {
                unsafe input = nil
                inputCount = 0
            }
            return body()
        }
    }

    /// Makes an OpenSSL BIO over this wire, owned by the caller (SSL_set_bio takes it over).
    ///
    /// The BIO keeps an unretained reference: every ``TLSSession`` retains its wire and frees its SSL, BIO included, first.
    func makeBIO() throws(TLSError) -> OpaquePointer {
        guard let method = unsafe WireMethod.shared.method, let bio = unsafe BIO_new(method) else {
            throw .drained("BIO_new")
        }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    fileprivate static func behind(_ bio: OpaquePointer?) -> TLSWire? {
        guard let data = unsafe BIO_get_data(bio) else { return nil }
        return unsafe Unmanaged<TLSWire>.fromOpaque(data).takeUnretainedValue()
    }

    fileprivate func read(into target: UnsafeMutablePointer<CChar>, upTo count: Int) -> Int {
        let taken = min(count, inputCount)
        guard taken > 0, let source = unsafe input else { return 0 }
        unsafe UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: taken)
        unsafe input = source + taken
        inputCount -= taken
        return taken
    }

    fileprivate func write(_ source: UnsafePointer<CChar>, count: Int) {
        unsafe source.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
            output.append(unsafe Span(_unsafeStart: bytes, count: count))
        }
    }
}

/// The BIO method, made once for the process and never freed.
@safe
private final class WireMethod: Sendable {
    static let shared = WireMethod()

    nonisolated(unsafe) let method: OpaquePointer?

    private init() {
        unsafe method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport wire")
        unsafe BIO_meth_set_read(method) { bio, target, count in
            unsafe sp_bio_clear_retry(bio)
            guard let wire = unsafe TLSWire.behind(bio), let target = unsafe target, count > 0 else { return -1 }
            let taken = unsafe wire.read(into: target, upTo: Int(count))
            guard taken > 0 else {
                unsafe sp_bio_set_retry_read(bio)
                return -1
            }
            return CInt(taken)
        }
        unsafe BIO_meth_set_write(method) { bio, source, count in
            unsafe sp_bio_clear_retry(bio)
            guard let wire = unsafe TLSWire.behind(bio), let source = unsafe source, count > 0 else { return -1 }
            unsafe wire.write(source, count: Int(count))
            return count
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
    }
}
