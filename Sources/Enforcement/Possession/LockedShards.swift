import Synchronization

/// The shards of a replay table, side by side, each behind a lock of its own.
///
/// They lie in one block rather than in objects: to count an object's owners would take two atomic operations for each proof,
/// which is a tenth of what remembering it costs. The block is filled by the initialiser, keeps its size and its
/// place, and is emptied and freed once, by the owner's end; the pointer itself is only read, and every index is checked.
@safe
struct LockedShards: ~Copyable, Sendable {
    private nonisolated(unsafe) let shards: UnsafeMutablePointer<Mutex<ReplayShard>>
    /// How many there are.
    let count: Int

    /// Makes empty shards; each holds so many entries, and so many of one owner.
    init(count: Int, limit: Int, share: Int) {
        unsafe shards = .allocate(capacity: count)
        self.count = count
        for index in 0..<count {
            unsafe (shards + index).initialize(to: Mutex(ReplayShard(limit: limit, share: share)))
        }
    }

    deinit {
        unsafe shards.deinitialize(count: count)
        unsafe shards.deallocate()
    }

    /// Lends a shard to `body`, and to nobody else meanwhile.
    func withLock<Result>(on index: Int, _ body: (inout ReplayShard) -> Result) -> Result {
        precondition(index >= 0 && index < count, "there is no such shard")
        return unsafe shards[index].withLock { shard in body(&shard) }
    }
}
