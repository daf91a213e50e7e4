import Glibc

/// Where a command writes: results to the output, everything else to the error stream.
enum StandardStream: CInt {
    case output = 1
    case error = 2

    /// Writes the text, whole unless the reader has gone.
    func write(_ text: String) {
        write(Array(text.utf8))
    }

    /// Writes the bytes, whole unless the reader has gone.
    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
