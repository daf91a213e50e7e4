import Glibc

/// What tells one state of a file from another without reading it.
public struct FileMark: Equatable, Sendable {
    private let device: UInt
    private let inode: UInt
    private let byteCount: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// The mark of the file at `path` now, or nothing where there is none to be seen.
    public init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        byteCount = Int(status.st_size)
        seconds = Int(status.st_mtim.tv_sec)
        nanoseconds = Int(status.st_mtim.tv_nsec)
    }
}
