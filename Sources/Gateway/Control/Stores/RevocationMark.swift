import Glibc

/// A small file apart from the store that says which store there is, and how much it holds at least.
///
/// It makes a store that is gone, or that lost its latest revocations, an error and not an empty set.
struct RevocationMark: Equatable, Sendable {
    /// The store's own random name.
    let store: String
    /// The number of changes that were made to it and answered, or fewer.
    let generation: UInt64

    private static let title = "sallyport revocation store"

    /// Always of the same length, so that a later text replaces an earlier one in its place.
    private var text: String {
        let digits = String(generation)
        return "\(Self.title) \(store) \(String(repeating: "0", count: 20 - digits.count))\(digits)\n"
    }

    /// Reads the mark; nothing where there is none.
    ///
    /// A failure of code 0 says that the file is not written as ours are.
    static func read(_ path: String) throws(StoreFiles.Failure) -> RevocationMark? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw StoreFiles.Failure(code: errno) }
            return nil
        }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw StoreFiles.Failure(code: errno) }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        let words = text.dropLast().split(separator: " ")
        guard words.count == 5, let generation = UInt64(words[4]) else { throw StoreFiles.Failure(code: 0) }
        let mark = RevocationMark(store: String(words[3]), generation: generation)
        guard mark.text == text else { throw StoreFiles.Failure(code: 0) }
        return mark
    }

    /// Puts the mark where there was none, whole, and on the disk when this returns.
    func create(at path: String) throws(StoreFiles.Failure) {
        let temporary = path + ".new"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StoreFiles.Failure(code: errno) }
        defer { _ = close(descriptor) }
        try write(to: descriptor)
        guard fsync(descriptor) == 0, unsafe rename(temporary, path) == 0 else { throw StoreFiles.Failure(code: errno) }
        try StoreFiles.syncDirectory(of: path)
    }

    /// Replaces the mark in its place.
    ///
    /// It survives the end of the process at once, and that of the machine a little later; an older one does no harm.
    func replace(at path: String) throws(StoreFiles.Failure) {
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw StoreFiles.Failure(code: errno) }
        defer { _ = close(descriptor) }
        try write(to: descriptor)
    }

    private func write(to descriptor: CInt) throws(StoreFiles.Failure) {
        let bytes = Array(text.utf8)
        let count = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count else { throw StoreFiles.Failure(code: count < 0 ? errno : ENOSPC) }
    }
}
