import CCurl
import CShims

/// The owner of one multi handle of libcurl.
///
/// The pointer never leaves this type and ``TransferSet``, and is freed once, in `deinit`. The library allows one thread at a
/// time to use it, save for `curl_multi_wakeup`, which any thread may call as long as the handle lives (curl_multi_wakeup(3)):
/// here everybody can ``wake()``, and all else is the one ``TransferSet``'s, which is not Sendable and so stays on its thread.
/// That set retains this object, so freeing comes after its last use.
@safe
final class LibraryHandle: Sendable {
    nonisolated(unsafe) fileprivate let pointer: UnsafeMutableRawPointer

    /// Once for the process, before any other use of the library.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK

    /// Makes a handle that keeps at most so many connections.
    init(connections: Int) throws(RetrievalError) {
        guard Self.isReady, let pointer = unsafe curl_multi_init() else {
            throw .library("libcurl cannot be initialised")
        }
        unsafe self.pointer = unsafe pointer
        for option in [CURLMOPT_MAXCONNECTS, CURLMOPT_MAX_TOTAL_CONNECTIONS] {
            let code = unsafe sp_curl_multi_set_number(pointer, option.rawValue, connections)
            guard code == CURLM_OK.rawValue else { throw .library("libcurl refuses its settings") }
        }
    }

    deinit {
        _ = unsafe curl_multi_cleanup(pointer)
    }

    /// Ends the present wait of the set's thread, or its next one: from any thread, never waits.
    func wake() {
        _ = unsafe curl_multi_wakeup(pointer)
    }
}

/// The transfers that run at present, on one thread.
@safe
final class TransferSet {
    private let library: LibraryHandle
    /// By the number of their handles.
    private var transfers: [UInt: Transfer] = [:]

    /// Takes the handle over: there is one set for each.
    init(_ library: LibraryHandle) {
        self.library = library
    }

    /// The transfers in the set, in no order.
    var all: [Transfer] { Array(transfers.values) }

    /// The number of transfers in the set.
    var count: Int { transfers.count }

    /// Starts a transfer; false where the library cannot.
    func add(_ transfer: Transfer) -> Bool {
        let handle = unsafe transfer.handle
        guard unsafe curl_multi_add_handle(library.pointer, handle) == CURLM_OK else { return false }
        transfers[UInt(bitPattern: handle)] = transfer
        return true
    }

    /// Takes a transfer out, whether it has ended or not: the library forgets it.
    func remove(_ transfer: Transfer) {
        let handle = unsafe transfer.handle
        _ = unsafe curl_multi_remove_handle(library.pointer, handle)
        transfers[UInt(bitPattern: handle)] = nil
    }

    /// Does what can be done without waiting; false where the library fails.
    func perform() -> Bool {
        var running: CInt = 0
        return unsafe curl_multi_perform(library.pointer, &running) == CURLM_OK
    }

    /// A transfer that has ended since, and how; each is given once and is then still in the set.
    func nextEnded() -> (transfer: Transfer, code: CURLcode)? {
        var code: UInt32 = 0
        while let handle = unsafe sp_curl_multi_next_ended(library.pointer, &code) {
            if let transfer = transfers[UInt(bitPattern: handle)] { return (transfer, CURLcode(code)) }
        }
        return nil
    }

    /// Waits until there is something to do, or somebody wakes it; false where the library fails.
    func wait(milliseconds: Int32) -> Bool {
        unsafe curl_multi_poll(library.pointer, nil, 0, milliseconds, nil) == CURLM_OK
    }
}
