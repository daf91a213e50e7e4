import Bytes
public import Reactor
import Synchronization

/// The gateway's own HTTPS client: one thread that makes requests, a few at a time.
///
/// The server's certificate is always verified, by TLS 1.2 at least. Redirects are not followed, no proxy is asked, nothing is
/// read from the environment, and no cookie or password is kept. At most 16 requests run at once, of which no origin may
/// have more than eight: an endpoint that hangs cannot keep the others from being asked.
public final class Retriever: Sendable {
    /// Who is told the outcome of a request.
    public typealias Completion = @Sendable (Result<IncomingResponse, RetrievalError>) -> Void

    private let inbox: RetrievalInbox
    private let thread = Mutex<WorkerThread?>(nil)

    /// Makes a client that does nothing before ``start()``.
    ///
    /// - Throws: ``RetrievalError/library(_:)``.
    public init() throws(RetrievalError) {
        inbox = RetrievalInbox(library: try LibraryHandle(connections: TransferLoop.places))
    }

    deinit {
        stop()
    }

    /// Starts the thread; once.
    public func start() throws(SystemError) {
        let inbox = inbox
        let pause = try Wakeup()
        let started = try WorkerThread(name: "retriever") { TransferLoop(inbox: inbox, pause: pause).run() }
        thread.withLock { $0 = started }
    }

    /// Makes a request; from any thread, never waits.
    ///
    /// - Parameters:
    ///   - request: what to ask.
    ///   - completion: called exactly once, on the client's thread, and after ``stop()`` at once on the caller's. It must not
    ///     wait.
    public func fetch(_ request: OutgoingRequest, completion: @escaping Completion) {
        inbox.put(Retrieval(request, completion: completion))
    }

    /// Ends the thread; requests that are under way, or wait, fail with ``RetrievalError/stopped``.
    ///
    /// All completions have returned when this returns, unless it is called by one of them.
    public func stop() {
        for retrieval in inbox.close() { retrieval.complete(.failure(.stopped)) }
        let ended = thread.withLock { $0.take() }
        // The retriever's own thread cannot wait for itself: the system refuses that, and the thread ends by itself.
        ended?.join()
    }
}
