import Bytes
import Glibc

/// The two system calls on which the promise of the log rests, apart so that tests can let them fail.
///
/// Each answers with a negative error number where it failed.
struct AuditDisk: Sendable {
    /// Appends bytes to a descriptor and answers how many were taken.
    let write: @Sendable (_ descriptor: CInt, _ bytes: Span<UInt8>) -> Int
    /// Puts what was written to a descriptor on disk.
    let synchronize: @Sendable (_ descriptor: CInt) -> Int

    /// The kernel's.
    static let real = AuditDisk(
        write: { descriptor, bytes in
            let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            return written < 0 ? -Int(errno) : written
        },
        synchronize: { descriptor in
            fdatasync(descriptor) < 0 ? -Int(errno) : 0
        })
}
