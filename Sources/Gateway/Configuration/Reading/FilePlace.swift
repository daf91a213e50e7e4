/// The directory that a configuration's relative paths start from.
struct FilePlace {
    /// The directory; empty for the current one.
    let directory: String

    /// The place of the files beside `file`.
    init(beside file: String) {
        guard let slash = file.lastIndex(of: "/") else {
            directory = ""
            return
        }
        directory = slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// The path as the process can open it: an absolute one as it is, a relative one behind the directory.
    func resolve(_ path: String) -> String {
        if path.hasPrefix("/") || directory.isEmpty { return path }
        return directory.hasSuffix("/") ? directory + path : "\(directory)/\(path)"
    }
}
