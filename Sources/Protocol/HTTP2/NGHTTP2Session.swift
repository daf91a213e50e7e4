import Bytes
internal import CNghttp2
import HTTP

/// The owner of one session of the framing library.
///
/// The handle never leaves this type and is freed exactly once, in `deinit`. Pointers that are given to the library are
/// used by it during the call only, and what it gives out is copied before the next call. It calls back only from inside
/// ``receive(_:)`` and ``nextOutput(_:)``, to the object that ``attach(_:)`` named: that object owns this session, so it
/// lives as long as those calls do. `nghttp2_session_del` calls nothing back.
@safe
struct NGHTTP2Session: ~Copyable {
    private let handle: OpaquePointer

    /// Opens a session and queues our SETTINGS and the connection's window.
    init(_ options: SessionOptions) throws(HTTP2Error) {
        unsafe handle = try Self.open(options)
    }

    deinit {
        unsafe nghttp2_session_del(handle)
    }

    /// Names the object that hears what frames mean; it must own this session.
    func attach(_ connection: HTTP2Connection) {
        unsafe nghttp2_session_set_user_data(handle, Unmanaged.passUnretained(connection).toOpaque())
    }

    /// Parses the peer's bytes; an error ends the connection.
    func receive(_ bytes: Span<UInt8>) -> HTTP2Error? {
        let status = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe nghttp2_session_mem_recv(handle, buffer.baseAddress, buffer.count)
        }
        guard status < 0 else { return nil }
        return switch nghttp2_error(rawValue: Int32(truncatingIfNeeded: status)) {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC: .badPreface
        case NGHTTP2_ERR_FLOODED: .abuse(.backlog)
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: .abuse(.continuations)
        case NGHTTP2_ERR_NOMEM: .outOfMemory
        default: .library(Int32(truncatingIfNeeded: status))
        }
    }

    /// What became of a wish for output.
    enum Output {
        case bytes, nothing, failed
    }

    /// Gives the next bytes for the peer to `body`, content excepted: that is called back for.
    func nextOutput(_ body: (Span<UInt8>) -> Void) -> Output {
        var start: UnsafePointer<UInt8>?
        let count = unsafe nghttp2_session_mem_send(handle, &start)
        guard count >= 0 else { return .failed }
        guard count > 0, let start = unsafe start else { return .nothing }
        body(unsafe Span(_unsafeStart: start, count: count))
        return .bytes
    }

    /// Whether the library expects frames of the peer.
    var wantsInput: Bool { unsafe nghttp2_session_want_read(handle) != 0 }

    /// Whether the library has frames for the peer that its windows allow.
    var wantsOutput: Bool { unsafe nghttp2_session_want_write(handle) != 0 }

    /// The number of frames, content excepted, that wait to be sent.
    var backlog: Int { unsafe nghttp2_session_get_outbound_queue_size(handle) }

    // MARK: Streams

    /// Makes a stream of the peer's share the connection evenly with others, whatever priority the peer claims: one long
    /// answer cannot starve the others.
    func levelPriority(of stream: Int32) {
        var even = nghttp2_extpri(urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
        _ = unsafe nghttp2_session_change_extpri_stream_priority(handle, stream, &even, 1)
    }

    /// Whether the peer lets us open another stream when `open` are open.
    func mayOpen(beside open: Int) -> Bool {
        guard unsafe nghttp2_session_check_request_allowed(handle) != 0 else { return false }
        let most = unsafe nghttp2_session_get_remote_settings(handle, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return open < most
    }

    /// Queues a request's head on a stream of its own, which it returns; nothing where the library cannot.
    func submitRequest(_ lines: UnsafeBufferPointer<nghttp2_nv>, endsStream: Bool) -> Int32? {
        var content = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: NGHTTP2Callbacks.read)
        let stream = unsafe withUnsafePointer(to: &content) { content in
            unsafe nghttp2_submit_request(
                handle, nil, lines.baseAddress, lines.count, endsStream ? nil : content, nil)
        }
        return stream > 0 ? stream : nil
    }

    /// Queues trailers; only where all content is framed, and its end was not.
    func submitTrailers(_ lines: UnsafeBufferPointer<nghttp2_nv>, on stream: Int32) -> Bool {
        unsafe nghttp2_submit_trailer(handle, stream, lines.baseAddress, lines.count) == 0
    }

    /// Queues an answer's head; false where the library cannot.
    func submit(_ lines: UnsafeBufferPointer<nghttp2_nv>, on stream: Int32, endsStream: Bool) -> Bool {
        guard !endsStream else {
            return unsafe nghttp2_submit_response(handle, stream, lines.baseAddress, lines.count, nil) == 0
        }
        var content = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: NGHTTP2Callbacks.read)
        return unsafe nghttp2_submit_response(handle, stream, lines.baseAddress, lines.count, &content) == 0
    }

    /// Queues an interim answer's head (1xx); false where the library cannot.
    func submitInterim(_ lines: UnsafeBufferPointer<nghttp2_nv>, on stream: Int32) -> Bool {
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        return unsafe nghttp2_submit_headers(handle, flags, stream, nil, lines.baseAddress, lines.count, nil) == 0
    }

    /// Says that the stream has content again.
    func resume(_ stream: Int32) {
        _ = unsafe nghttp2_session_resume_data(handle, stream)
    }

    /// Opens the windows of the stream and of the connection by what was consumed.
    func consume(_ count: Int, of stream: Int32) {
        _ = unsafe nghttp2_session_consume(handle, stream, count)
    }

    /// Opens the window of the connection only: the stream's is needed no more.
    func consume(_ count: Int) {
        _ = unsafe nghttp2_session_consume_connection(handle, count)
    }

    /// Queues RST_STREAM.
    func reset(_ stream: Int32, _ code: HTTP2ErrorCode) {
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        _ = unsafe nghttp2_submit_rst_stream(handle, flags, stream, code.rawValue)
    }

    // MARK: Ends

    /// Queues a GOAWAY that names no last stream yet: the peer should open no more (RFC 9113 §6.8).
    func submitShutdownNotice() {
        _ = unsafe nghttp2_submit_shutdown_notice(handle)
    }

    /// Queues the GOAWAY that names the last stream that is served.
    func submitGoAway() {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(handle)
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        _ = unsafe nghttp2_submit_goaway(handle, flags, last, HTTP2ErrorCode.noError.rawValue, nil, 0)
    }

    /// Queues GOAWAY; once it is sent, nothing more is read or written.
    func terminate(_ code: HTTP2ErrorCode) {
        _ = unsafe nghttp2_session_terminate_session(handle, code.rawValue)
    }

    // MARK: Opening

    private static func open(_ options: SessionOptions) throws(HTTP2Error) -> OpaquePointer {
        guard options.areConsistent else { throw .invalidLimits }
        var handle: OpaquePointer?
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        defer {
            // The session has copied both.
            unsafe nghttp2_session_callbacks_del(callbacks)
            unsafe nghttp2_option_del(option)
        }
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, unsafe nghttp2_option_new(&option) == 0 else {
            throw .outOfMemory
        }
        unsafe NGHTTP2Callbacks.install(callbacks)
        unsafe set(options, on: option)
        let status =
            options.isServer
            ? unsafe nghttp2_session_server_new2(&handle, callbacks, nil, option)
            : unsafe nghttp2_session_client_new2(&handle, callbacks, nil, option)
        guard status == 0, let handle = unsafe handle else { throw .outOfMemory }
        guard unsafe announce(options, on: handle) else {
            unsafe nghttp2_session_del(handle)
            throw .outOfMemory
        }
        return unsafe handle
    }

    private static func set(_ options: SessionOptions, on option: OpaquePointer?) {
        // Windows open when content is taken, not when it comes: backpressure.
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        unsafe nghttp2_option_set_max_outbound_ack(option, options.abuse.backlog)
        // The library counts a CONTINUATION once for each read that ends inside its header of nine bytes.
        unsafe nghttp2_option_set_max_continuations(option, (options.abuse.continuations + 1) * 9)
        // Resets are counted here, against what was completed; the library would end a long honest connection.
        unsafe nghttp2_option_set_stream_reset_rate_limit(option, .max, .max)
    }

    private static func announce(_ options: SessionOptions, on handle: OpaquePointer) -> Bool {
        let entries = options.settings.map { nghttp2_settings_entry(settings_id: Int32($0.0.rawValue), value: $0.1) }
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        let status = unsafe entries.withUnsafeBufferPointer { entries in
            unsafe nghttp2_submit_settings(handle, flags, entries.baseAddress, entries.count)
        }
        guard status == 0 else { return false }
        return unsafe nghttp2_session_set_local_window_size(handle, flags, 0, options.connectionWindow) == 0
    }
}
