import COpenSSL

/// The queue of errors that OpenSSL keeps for each thread.
///
/// Calls are made on an empty queue and leave it empty: libssl reads the same queue to tell a fatal error from a wait.
enum LibraryErrors {
    /// Runs `body` on an empty queue, and empties it again.
    static func contained<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return try body()
    }

    /// Empties the queue, and says whether `library` had put `reason` there.
    static func drain(lookingFor reason: Int32, of library: Int32) -> Bool {
        var found = false
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return found }
            if ERR_GET_LIB(code) == library, ERR_GET_REASON(code) == reason { found = true }
        }
    }
}
