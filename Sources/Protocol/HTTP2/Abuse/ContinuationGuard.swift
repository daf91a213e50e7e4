/// Bounds the frames that one field block is cut into (CVE-2024-27316).
///
/// Until the block ends nothing can be judged, and its bytes are bounded by nothing else.
struct ContinuationGuard: Equatable {
    private let limit: Int
    private var frames = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// A HEADERS frame began a block.
    mutating func blockBegan() {
        frames = 0
    }

    /// A CONTINUATION frame came; false: once too often.
    mutating func continuation() -> Bool {
        frames += 1
        return frames <= limit
    }
}
