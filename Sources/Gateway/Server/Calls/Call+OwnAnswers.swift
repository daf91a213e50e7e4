import Bytes
import Exchange
import HTTP

/// What the gateway itself answers.
extension Call {
    /// Answers with problem details.
    func answer(_ denial: Denial) {
        guard let driver else { return letGo() }
        guard driver.canAnswer else { return abort(denial.reason) }
        exchange.fill(
            &worker.answerHead, &worker.problemBody, denial: denial,
            proofAlgorithms: worker.plan.snapshot.proofAlgorithms)
        let endsAll = denial.closesConnection && denial.code != .tooLarge
        sendOwn(endsConnection: endsAll, closes: denial.closesConnection, reason: denial.reason)
    }

    /// Answers with what the gateway itself has.
    func answer(_ document: ServedDocument) {
        guard driver != nil else { return letGo() }
        exchange.fill(&worker.answerHead, &worker.problemBody, document: document)
        sendOwn(endsConnection: false, closes: false, reason: nil)
    }

    /// Answers a security event.
    func answer(_ event: EventAnswer) {
        guard driver != nil else { return letGo() }
        exchange.fill(&worker.answerHead, &worker.problemBody, event: event)
        sendOwn(endsConnection: false, closes: false, reason: event.error.map { "event.\($0)" })
    }

    /// Sends the answer that was put together in the worker's room for it.
    ///
    /// - Parameters:
    ///   - endsConnection: whether no other stream of the connection may go on either.
    ///   - closes: whether this request's way ends, whatever is left of its content.
    private func sendOwn(endsConnection: Bool, closes: Bool, reason: String?) {
        guard let driver else { return }
        tally.status = worker.answerHead.status
        worker.stampAnswer()
        if closes || !canDiscardRest { driver.closeAfterAnswer(of: self, endsConnection: endsConnection) }
        let isHead = worker.problemBody.isEmpty || exchange.request.method.withReadable { $0.equals("HEAD") }
        if !isHead {
            worker.problemBody.withReadable { tally.send($0, worker.engine) }
        }
        _ = finish(reason)
        if isHead {
            driver.sendHead(worker.answerHead, of: self, ends: true)
        } else {
            driver.sendHead(worker.answerHead, of: self, ends: false)
            worker.problemBody.withReadable { driver.sendBody($0, of: self) }
            worker.trailers.removeAll()
            driver.endBody(of: self, trailers: worker.trailers)
        }
        letGo()
    }

    /// Whether the rest of the request is small enough to be read for nothing.
    private var canDiscardRest: Bool {
        guard !hasWholeRequest else { return true }
        guard !exchange.request.expectsContinue || delivery.hasBegun else { return false }
        guard case .length(let count) = exchange.request.framing else { return false }
        return count <= Self.discardLimit
    }
}
