import Bytes
import Reactor

/// A request on its way, with who is to be told its outcome.
struct Retrieval: Sendable {
    let request: OutgoingRequest
    let deadline: MonotonicTime
    private let completion: Retriever.Completion

    init(_ request: OutgoingRequest, completion: @escaping Retriever.Completion) {
        self.request = request
        self.completion = completion
        deadline = MonotonicTime(nanoseconds: Clock.monotonic()) + request.timeout
    }

    /// Tells the outcome; whoever holds the request last does so, once.
    consuming func complete(_ result: Result<IncomingResponse, RetrievalError>) {
        completion(result)
    }
}
