import Bytes
import CCurl
import Reactor

/// What the retriever's thread does: takes requests in, has the library make them, tells the outcomes.
final class TransferLoop {
    /// How many transfers run at once.
    static let places = 16
    /// How many of them may be for one origin.
    static let placesAnOrigin = places / 2
    /// How many requests may wait for a place.
    static let waitingRoom = 1024

    private struct Waiting {
        let retrieval: Retrieval
        let origin: String
    }

    private let inbox: RetrievalInbox
    private let pause: Wakeup
    private let transfers: TransferSet
    private var waiting: [Waiting] = []
    private var busy: [String: Int] = [:]

    /// Makes the loop of the thread that calls.
    init(inbox: RetrievalInbox, pause: Wakeup) {
        self.inbox = inbox
        self.pause = pause
        transfers = TransferSet(inbox.library)
    }

    /// Runs until the inbox is closed.
    func run() {
        while true {
            let (retrievals, isClosed) = inbox.take()
            for retrieval in retrievals { admit(retrieval) }
            guard !isClosed else { return failAll(.stopped) }
            startWaiting()
            if !advance() {
                failAll(.library("libcurl cannot go on"))
                // Whatever it lacks, asking again at once would not help.
                pause.wait(timeout: 100)
            }
        }
    }

    private func admit(_ retrieval: Retrieval) {
        do throws(RetrievalError) {
            let origin = try retrieval.request.origin()
            // One origin that does not answer leaves room for the others.
            let isCrowded = waiting.count { $0.origin == origin } >= Self.waitingRoom / 4
            guard waiting.count < Self.waitingRoom, !isCrowded else { throw .overloaded }
            waiting.append(Waiting(retrieval: retrieval, origin: origin))
        } catch {
            retrieval.complete(.failure(error))
        }
    }

    /// Gives the free places to those that have waited longest, and up on those that have waited too long.
    private func startWaiting() {
        guard !waiting.isEmpty else { return }
        let now = MonotonicTime(nanoseconds: Clock.monotonic())
        var left: [Waiting] = []
        for next in waiting {
            if next.retrieval.deadline <= now {
                next.retrieval.complete(.failure(.timedOut))
            } else if transfers.count < Self.places, busy[next.origin, default: 0] < Self.placesAnOrigin {
                start(next, now: now)
            } else {
                left.append(next)
            }
        }
        waiting = left
    }

    private func start(_ next: Waiting, now: MonotonicTime) {
        do throws(RetrievalError) {
            let time = (next.retrieval.deadline - now).nanoseconds / 1_000_000 + 1
            let transfer = try Transfer(next.retrieval, origin: next.origin, milliseconds: Int(time))
            guard transfers.add(transfer) else { throw .library("libcurl does not start the transfer") }
            busy[next.origin, default: 0] += 1
        } catch {
            next.retrieval.complete(.failure(error))
        }
    }

    /// Does what can be done, and waits for more where nothing has ended; false where the library fails.
    private func advance() -> Bool {
        guard transfers.perform() else { return false }
        var hasEnded = false
        while let (transfer, code) = transfers.nextEnded() {
            hasEnded = true
            finish(transfer, transfer.outcome(code))
        }
        return hasEnded || transfers.wait(milliseconds: patience)
    }

    /// How long to wait, in milliseconds: until one that waits for a place has waited too long.
    private var patience: Int32 {
        guard let deadline = waiting.map(\.retrieval.deadline).min() else { return 600_000 }
        let left = (deadline - MonotonicTime(nanoseconds: Clock.monotonic())).nanoseconds / 1_000_000 + 1
        return Int32(max(0, min(left, 600_000)))
    }

    private func finish(_ transfer: Transfer, _ result: Result<IncomingResponse, RetrievalError>) {
        transfers.remove(transfer)
        if let count = busy[transfer.origin] { busy[transfer.origin] = count > 1 ? count - 1 : nil }
        transfer.retrieval.complete(result)
    }

    private func failAll(_ error: RetrievalError) {
        for transfer in transfers.all { finish(transfer, .failure(error)) }
        let left = waiting
        waiting = []
        for next in left { next.retrieval.complete(.failure(error)) }
    }
}
