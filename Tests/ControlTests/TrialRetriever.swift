import Bytes
import Foundation
import Synchronization

@testable import Control

/// A client that runs for one test.
final class TrialRetriever: Sendable {
    /// Whatever the environment of the tests says, the client must not follow it.
    private static let environment: Void = {
        _ = unsafe setenv("https_proxy", "http://127.0.0.1:9", 1)
        _ = unsafe setenv("http_proxy", "http://127.0.0.1:9", 1)
        _ = unsafe setenv("ALL_PROXY", "socks5://127.0.0.1:9", 1)
    }()

    let retriever: Retriever

    init(isStarted: Bool = true) throws {
        _ = Self.environment
        retriever = try Retriever()
        if isStarted { try retriever.start() }
    }

    deinit {
        retriever.stop()
    }

    /// Asks, and waits for the outcome; a second completion would end the tests.
    func fetch(_ request: OutgoingRequest) async -> Result<IncomingResponse, RetrievalError> {
        await withCheckedContinuation { continuation in
            retriever.fetch(request) { continuation.resume(returning: $0) }
        }
    }
}

/// Outcomes of requests that nobody waits for.
final class Outcomes: Sendable {
    private struct State {
        var results: [Result<IncomingResponse, RetrievalError>] = []
        var wanted = Int.max
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.results.count } }

    func add(_ result: Result<IncomingResponse, RetrievalError>) {
        state.withLock { state in
            state.results.append(result)
            if state.results.count >= state.wanted { state.waiter.take()?.resume() }
        }
    }

    func count(of error: RetrievalError?) -> Int {
        state.withLock { $0.results.count { $0.failure == error } }
    }

    /// Waits until there are so many outcomes.
    func reach(_ count: Int) async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                guard state.results.count < count else { return continuation.resume() }
                state.wanted = count
                state.waiter = continuation
            }
        }
    }
}

extension Result {
    var success: Success? { try? get() }

    var failure: Failure? {
        if case .failure(let error) = self { return error }
        return nil
    }
}

/// A kind of failure, whatever its words.
enum FailureKind: Equatable, Sendable {
    case connection, untrusted, request, other

    init?(_ result: Result<IncomingResponse, RetrievalError>) {
        guard let error = result.failure else { return nil }
        switch error {
        case .connection: self = .connection
        case .untrusted: self = .untrusted
        case .request: self = .request
        default: self = .other
        }
    }
}
