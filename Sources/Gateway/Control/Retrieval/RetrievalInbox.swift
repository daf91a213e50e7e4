import Synchronization

/// Where other threads put requests for the retriever's thread.
final class RetrievalInbox: Sendable {
    private struct Contents {
        var waiting: [Retrieval] = []
        var isClosed = false
        /// Whether a thread takes requests out; before that, and not after, a closed box's requests are the closer's.
        var isServed = false
    }

    /// What the thread waits in.
    ///
    /// It is woken where there is something to take.
    let library: LibraryHandle
    private let contents = Mutex(Contents())

    init(library: LibraryHandle) {
        self.library = library
    }

    /// Puts a request in, or fails it where the box is closed.
    func put(_ retrieval: Retrieval) {
        let isIn = contents.withLock { contents in
            guard !contents.isClosed else { return false }
            contents.waiting.append(retrieval)
            return true
        }
        guard isIn else { return retrieval.complete(.failure(.stopped)) }
        library.wake()
    }

    /// Takes all requests out, oldest first, and tells whether the box is closed.
    func take() -> (retrievals: [Retrieval], isClosed: Bool) {
        contents.withLock { contents in
            contents.isServed = true
            defer { contents.waiting = [] }
            return (contents.waiting, contents.isClosed)
        }
    }

    /// Closes the box.
    ///
    /// - Returns: what nobody else will take out.
    func close() -> [Retrieval] {
        let left = contents.withLock { contents -> [Retrieval] in
            contents.isClosed = true
            guard !contents.isServed else { return [] }
            defer { contents.waiting = [] }
            return contents.waiting
        }
        library.wake()
        return left
    }
}
