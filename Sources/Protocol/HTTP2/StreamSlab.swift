/// The streams of one connection in slots that are used again; a slot's index is what the library keeps for a stream.
struct StreamSlab {
    /// Slots that an idle connection keeps.
    private static let idleSlots = 16

    private var slots: [HTTP2Stream] = []
    private var free: [Int] = []

    /// The number of slots in use.
    var open: Int { slots.count - free.count }

    /// The stream in the slot at `index`.
    subscript(index: Int) -> HTTP2Stream { slots[index] }

    /// Takes a slot for the stream.
    mutating func claim(id: Int32) -> Int {
        let index: Int
        if let spare = free.popLast() {
            index = spare
        } else {
            index = slots.count
            slots.append(HTTP2Stream())
        }
        slots[index].id = id
        return index
    }

    /// Gives the slot at `index` back.
    mutating func release(_ index: Int) {
        slots[index].reset()
        free.append(index)
        if open == 0, slots.count > Self.idleSlots { keep(Self.idleSlots) }
    }

    /// Gives the memory of spare slots back where no stream is open.
    mutating func releaseMemory() {
        if open == 0 { keep(0) }
    }

    // Only where all slots are free: an index in use must stay what it is.
    private mutating func keep(_ count: Int) {
        slots.removeLast(slots.count - count)
        free = Array(0..<count)
    }
}
