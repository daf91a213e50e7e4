import Bytes
import CCurl
import CShims

/// One request under way: the owner of an easy handle of libcurl.
///
/// The handle and what it points to (the list of fields, the room for a reason) are made and freed here and nowhere else; what
/// else is set, the library copies. It calls back only from within `curl_multi_perform`, on the thread of the ``TransferSet``
/// that this is in, and the set retains what is in it: so the unretained reference that the callbacks get is good. A transfer
/// is taken out of the set before it is let go.
@safe
final class Transfer {
    /// For the set alone.
    let handle: UnsafeMutableRawPointer
    let retrieval: Retrieval
    /// Whom the connection is made for.
    let origin: String

    private var collector: AnswerCollector
    private var fieldList: UnsafeMutablePointer<curl_slist>?
    private let reason: UnsafeMutablePointer<CChar>
    private var isRefused = false

    /// The longest time to make a connection, in milliseconds.
    private static let connectTimeout = 5_000
    /// The longest time of all that is told to the library.
    private static let maximumTimeout = Int(Int32.max)

    /// Prepares a transfer.
    ///
    /// - Parameters:
    ///   - retrieval: what is asked.
    ///   - origin: whom.
    ///   - milliseconds: how long it may take, at least 1.
    init(_ retrieval: Retrieval, origin: String, milliseconds: Int) throws(RetrievalError) {
        guard let handle = unsafe curl_easy_init() else { throw .library("libcurl has no room") }
        unsafe self.handle = unsafe handle
        self.retrieval = retrieval
        self.origin = origin
        collector = AnswerCollector(bodyLimit: retrieval.request.responseLimit)
        unsafe fieldList = nil
        unsafe reason = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        set(retrieval.request)
        limit(milliseconds: max(1, min(milliseconds, Self.maximumTimeout)))
        trust(retrieval.request.authorityFile)
        isolate()
        listen()
        guard !isRefused else { throw .library("libcurl refuses an option") }
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(fieldList)
        unsafe reason.deallocate()
    }

    /// What the transfer has brought, now that it has ended so.
    func outcome(_ code: CURLcode) -> Result<IncomingResponse, RetrievalError> {
        guard code == CURLE_OK else { return .failure(error(code)) }
        let status = unsafe sp_curl_status(handle)
        guard collector.hasHead, (200...599).contains(status) else {
            return .failure(.connection("the answer is incomplete, or not HTTP"))
        }
        return .success(IncomingResponse(status: status, fields: collector.fields, body: collector.body))
    }

    private func error(_ code: CURLcode) -> RetrievalError {
        if collector.isTooLarge { return .tooLarge }
        let text = unsafe reason.pointee == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: reason)
        return switch code {
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED: .request(text)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_SSL_ENGINE_INITFAILED:
            .library(text)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            .untrusted(text)
        default: .connection(text)
        }
    }

    // MARK: Settings

    private func set(_ request: OutgoingRequest) {
        let protocols = request.dangerouslyAllowsPlainHTTP ? "https,http" : "https"
        text(CURLOPT_PROTOCOLS_STR, protocols)
        text(CURLOPT_REDIR_PROTOCOLS_STR, "https")
        text(CURLOPT_URL, request.url)
        number(CURLOPT_PATH_AS_IS, 1)
        number(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        number(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
        text(CURLOPT_USERAGENT, "sallyport")
        if request.method == .post {
            number(CURLOPT_POST, 1)
            check(
                unsafe request.body.span.withUnsafeBytes {
                    // No bytes have no place in memory, which would mean that they are to be asked for.
                    unsafe sp_curl_set_content(handle, $0.baseAddress ?? UnsafeRawPointer(reason), $0.count)
                })
        }
        for (name, value) in request.fields {
            let longer = unsafe curl_slist_append(fieldList, value.isEmpty ? name + ";" : name + ": " + value)
            if let longer = unsafe longer { unsafe fieldList = unsafe longer } else { isRefused = true }
        }
        check(unsafe sp_curl_set_pointer(handle, CURLOPT_HTTPHEADER.rawValue, fieldList))
    }

    private func limit(milliseconds: Int) {
        number(CURLOPT_TIMEOUT_MS, milliseconds)
        number(CURLOPT_CONNECTTIMEOUT_MS, min(milliseconds, Self.connectTimeout))
        // Neither signals for time-outs, nor waiting for a resolver that does not answer.
        number(CURLOPT_NOSIGNAL, 1)
        number(CURLOPT_QUICK_EXIT, 1)
    }

    private func trust(_ authorityFile: String?) {
        number(CURLOPT_SSL_VERIFYPEER, 1)
        number(CURLOPT_SSL_VERIFYHOST, 2)
        number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        guard let authorityFile else { return }
        text(CURLOPT_CAINFO, authorityFile)
        // The library would go on for a day with what the file held at first.
        number(CURLOPT_CA_CACHE_TIMEOUT, 0)
        // And it would trust the system's directory beside the file.
        text(CURLOPT_CAPATH, nil)
    }

    /// Shuts out what the environment, files of the user and the answers themselves could bring in.
    private func isolate() {
        number(CURLOPT_FOLLOWLOCATION, 0)
        text(CURLOPT_PROXY, "")
        text(CURLOPT_NOPROXY, "*")
        number(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        text(CURLOPT_COOKIEFILE, nil)
        text(CURLOPT_ACCEPT_ENCODING, nil)
        number(CURLOPT_HTTP09_ALLOWED, 0)
    }

    private func listen() {
        check(unsafe sp_curl_set_pointer(handle, CURLOPT_ERRORBUFFER.rawValue, reason))
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        check(
            unsafe sp_curl_set_receivers(
                handle,
                { bytes, size, count, this in
                    unsafe Transfer.receive(bytes, size * count, this) { $0.collector.takeHead($1) }
                },
                { bytes, size, count, this in
                    unsafe Transfer.receive(bytes, size * count, this) { $0.collector.takeBody($1) }
                }, this))
    }

    /// - Returns: how many bytes were taken: all, or none to end the transfer.
    private static func receive(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ this: UnsafeMutableRawPointer?,
        _ take: (Transfer, Span<UInt8>) -> Bool
    ) -> Int {
        guard let bytes = unsafe bytes, let this = unsafe this else { return 0 }
        let transfer = unsafe Unmanaged<Transfer>.fromOpaque(this).takeUnretainedValue()
        return unsafe bytes.withMemoryRebound(to: UInt8.self, capacity: count) {
            take(transfer, unsafe Span(_unsafeStart: $0, count: count))
        } ? count : 0
    }

    private func number(_ option: CURLoption, _ value: Int) {
        check(unsafe sp_curl_set_number(handle, option.rawValue, value))
    }

    private func text(_ option: CURLoption, _ value: String?) {
        check(unsafe sp_curl_set_text(handle, option.rawValue, value))
    }

    private func check(_ code: CInt) {
        if code != CURLE_OK.rawValue { isRefused = true }
    }
}
