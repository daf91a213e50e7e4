/// How long an upstream may take, in nanoseconds.
struct UpstreamPatience {
    let connect: Int64
    let response: Int64
    let idle: Int64

    /// When the upstream must have done what it has to do next for a request.
    ///
    /// The time to the head of the answer begins when all of the request is written; before that, and behind the head, the
    /// time without a byte counts. Where the client is what is waited for, its own deadline counts.
    func next(of request: UpstreamRequest, now: Int64, isWritten: Bool) -> Int64 {
        defer { request.hasProgressed = false }
        if request.isStalled || !request.isSent && isWritten {
            request.awaitsHead = false
            request.due = .max
        } else if request.isSent, isWritten, !request.answerBegan {
            if !request.awaitsHead { request.due = now + response }
            request.awaitsHead = true
        } else if request.hasProgressed || request.awaitsHead || request.due == .max {
            request.awaitsHead = false
            request.due = now + idle
        }
        return request.due
    }
}
