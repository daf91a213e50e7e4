/// The streams of one connection, found by their identifiers, in slots that are used again.
struct StreamSlab {
    /// Slots that an idle connection keeps.
    private static let idleSlots = 16

    /// The open streams.
    ///
    /// Identifiers only grow (RFC 9113 §5.1.1), so appending keeps the order that the search needs.
    private var streams: [HTTP2Stream] = []
    private var spare: [HTTP2Stream] = []

    /// The number of slots in use.
    var open: Int { streams.count }

    /// The stream of that identifier; nothing where it is not open.
    subscript(id: Int32) -> HTTP2Stream? {
        guard let index = index(of: id) else { return nil }
        return streams[index]
    }

    /// Whether an open stream fulfils `condition`.
    func contains(where condition: (HTTP2Stream) -> Bool) -> Bool {
        streams.contains(where: condition)
    }

    private func index(of id: Int32) -> Int? {
        var low = 0
        var high = streams.count
        while low < high {
            let middle = (low + high) / 2
            if streams[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < streams.count && streams[low].id == id ? low : nil
    }

    /// Takes a slot for a stream whose identifier is above those of all before it.
    mutating func claim(id: Int32) -> HTTP2Stream {
        let stream = spare.popLast() ?? HTTP2Stream()
        stream.id = id
        streams.append(stream)
        return stream
    }

    /// Gives the stream's slot back.
    mutating func release(_ stream: HTTP2Stream) {
        guard let index = index(of: stream.id) else { return }
        streams.remove(at: index)
        stream.reset()
        spare.append(stream)
        if streams.isEmpty, spare.count > Self.idleSlots { spare.removeLast(spare.count - Self.idleSlots) }
    }

    /// Gives the memory of spare slots back where no stream is open.
    mutating func releaseMemory() {
        guard streams.isEmpty else { return }
        spare = []
        streams = []
    }
}
