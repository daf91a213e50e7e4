/// What the query of a request asks of the echo service: `bytes=N`, `status=CODE`, `chunked=1`, `delay=SECONDS`.
struct EchoWish: Equatable {
    /// The status of the answer.
    private(set) var status = 200
    /// The number of bytes to answer with instead of the report.
    private(set) var byteCount: Int?
    /// Whether the answer is chunked.
    private(set) var isChunked = false
    /// How long to wait before the answer, in seconds.
    private(set) var delay: Double?

    /// The most bytes that are made at once.
    static let largestPiece = 64 << 10

    private static let period = 251
    /// Enough of the content that every piece lies within it.
    private static let pattern = (0..<largestPiece + period).map { UInt8($0 % period) }

    /// Reads the query of `target`; what it does not know is passed over.
    init(target: String) {
        guard let mark = target.firstIndex(of: "?") else { return }
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "status": status = Int(parts[1]).flatMap { (200...599).contains($0) ? $0 : nil } ?? status
            case "bytes": byteCount = Int(parts[1]).flatMap { $0 >= 0 ? $0 : nil }
            case "chunked": isChunked = parts[1] == "1"
            case "delay": delay = Double(parts[1]).flatMap { (0...60).contains($0) ? $0 : nil }
            default: break
            }
        }
    }

    /// Part of the content of `bytes=N`: the bytes 0 to 250, again and again; at most ``largestPiece`` of them.
    static func content(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> {
        pattern[(offset % period)...].prefix(count)
    }
}
