import Glibc

/// Keeps a second gateway away from a store, and nobody who only reads it: backups are made while it serves.
///
/// A gateway whose store another one writes to would not see what that revokes. The kernel lets the lock go with the process,
/// however that ends.
final class StoreLock {
    private let descriptor: CInt

    /// Takes the lock of the store at `path`; nothing where somebody has it.
    init?(of path: String) throws(StoreFiles.Failure) {
        descriptor = unsafe open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StoreFiles.Failure(code: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            _ = close(descriptor)
            guard code == EWOULDBLOCK else { throw StoreFiles.Failure(code: code) }
            return nil
        }
    }

    deinit {
        _ = close(descriptor)
    }
}
