internal import CNghttp2

/// The library's callbacks: each turns C values into ours and calls one method of the connection.
///
/// The context is the connection, unretained: it owns the session that calls back, and the call that led here was made
/// by one of its methods (see ``NGHTTP2Session``). Spans are handed down and do not outlive the call.
enum NGHTTP2Callbacks {
    /// Sets all of them.
    static func install(_ callbacks: OpaquePointer?) {
        unsafe installReceiving(callbacks)
        unsafe installSending(callbacks)
    }

    private static func installReceiving(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, context in
            guard let frame = unsafe frame else { return Thunk.stop }
            return Thunk.status(unsafe Thunk.connection(context)?.fieldsBegan(Frame(frame)))
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, context in
            guard let name = unsafe name, let value = unsafe value else { return Thunk.stop }
            return Thunk.fieldStatus(
                unsafe Thunk.connection(context)?.field(
                    name: Span(_unsafeStart: name, count: nameCount),
                    value: Span(_unsafeStart: value, count: valueCount)))
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) {
            _, _, name, nameCount, _, valueCount, _, context in
            guard let name = unsafe name else { return Thunk.stop }
            let nameIsValid = unsafe nghttp2_check_header_name(name, nameCount) != 0
            return Thunk.fieldStatus(
                unsafe Thunk.connection(context)?.malformedField(
                    name: Span(_unsafeStart: name, count: nameCount), valueCount: valueCount,
                    nameIsValid: nameIsValid))
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, stream, bytes, count, context in
            guard let bytes = unsafe bytes else { return Thunk.stop }
            return Thunk.status(
                unsafe Thunk.connection(context)?.content(Span(_unsafeStart: bytes, count: count), on: stream))
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, context in
            guard let frame = unsafe frame else { return Thunk.stop }
            return Thunk.status(unsafe Thunk.connection(context)?.frameReceived(Frame(frame)))
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, frame, error, context in
            guard let frame = unsafe frame else { return Thunk.stop }
            let blockIsWhole = error == NGHTTP2_ERR_HTTP_MESSAGING.rawValue
            return Thunk.status(
                unsafe Thunk.connection(context)?.frameRefused(Frame(frame), blockIsWhole: blockIsWhole))
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, context in
            Thunk.status(unsafe Thunk.connection(context)?.streamClosed(stream, code: code))
        }
    }

    private static func installSending(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, context in
            guard let frame = unsafe frame else { return Thunk.stop }
            return Thunk.status(unsafe Thunk.connection(context)?.frameSent(Frame(frame)))
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, context in
            guard let frame = unsafe frame else { return Thunk.stop }
            return Thunk.status(unsafe Thunk.connection(context)?.frameNotSent(Frame(frame)))
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, _, context in
            guard let frame = unsafe frame, let header = unsafe header,
                let connection = unsafe Thunk.connection(context)
            else {
                return Thunk.stop
            }
            let goesOn = unsafe connection.writeContent(
                count, of: frame.pointee.hd.stream_id, after: Span(_unsafeStart: header, count: 9))
            return goesOn ? Thunk.proceed : NGHTTP2_ERR_PAUSE.rawValue
        }
    }

    /// Asks how much content a stream has; the content itself is written by the callback above, straight to the output.
    static let read: nghttp2_data_source_read_callback = { _, stream, _, limit, flags, _, context in
        guard let connection = unsafe Thunk.connection(context), let flags = unsafe flags else {
            return Int(Thunk.stop)
        }
        switch connection.contentReady(on: stream, upTo: limit) {
        case .some(let count, let isLast):
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
            if isLast { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
            if isLast, connection.framesTrailers(on: stream) {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            }
            return count
        case .later: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .never: return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
    }
}

// C function pointers capture nothing, not even `Self`.
private enum Thunk {
    static let proceed: Int32 = 0
    static let stop = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

    static func connection(_ context: UnsafeMutableRawPointer?) -> HTTP2Connection? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged.fromOpaque(context).takeUnretainedValue()
    }

    static func status(_ goesOn: Bool?) -> Int32 {
        goesOn == true ? proceed : stop
    }

    // Here it is only the stream that does not go on.
    static func fieldStatus(_ goesOn: Bool?) -> Int32 {
        goesOn == true ? proceed : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }
}

extension Frame {
    /// Reads the parts of the library's union that the frame's type has.
    fileprivate init(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = unsafe frame.pointee.hd
        let type = FrameType(rawValue: header.type)
        let endFlag = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)
        self.init(
            type: type, stream: header.stream_id,
            endsStream: (type == .data || type == .headers) && header.flags & endFlag != 0)
        switch type {
        case .data: contentLength = unsafe header.length - frame.pointee.data.padlen
        case .rstStream: errorCode = unsafe frame.pointee.rst_stream.error_code
        case .goAway: errorCode = unsafe frame.pointee.goaway.error_code
        default: break
        }
    }
}
