import Exchange

/// The questions of one worker that the control thread has not answered yet, each with the calls that wait for it.
struct Inquiries<Waiter: AnyObject> {
    /// A question, asked once for all calls that want to know the same.
    struct Inquiry {
        let question: Question
        var calls: [Waiter]
    }

    /// What became of a wish to know.
    enum Opening {
        /// The same was asked already.
        case joined
        /// It is to be asked under that number.
        case opened(UInt64)
        /// Too many are open.
        case full
    }

    private var inquiries: [UInt64: Inquiry] = [:]
    private var lastNumber: UInt64 = 0
    private var callCount = 0
    /// The most questions that may be open, in all and about one issuer: one that does not answer must not silence others.
    private static var limit: Int { 256 }
    private static var issuerLimit: Int { limit / 2 }
    /// The most events of one feed that may be open: what reads them is what makes revocations take effect.
    private static var feedLimit: Int { 4 }
    /// The most calls that may wait: each holds the head of a request.
    private static var callLimit: Int { 1024 }

    /// Takes a call in.
    mutating func open(_ question: Question, for call: Waiter) -> Opening {
        guard callCount < Self.callLimit else { return .full }
        if let number = inquiries.first(where: { $0.value.question.isAnswered(with: question) })?.key {
            inquiries[number]?.calls.append(call)
            callCount += 1
            return .joined
        }
        let ofIssuer = inquiries.values.count { $0.question.issuer == question.issuer }
        let issuerLimit = question.isEvent ? Self.feedLimit : Self.issuerLimit
        guard inquiries.count < Self.limit, ofIssuer < issuerLimit else { return .full }
        lastNumber += 1
        inquiries[lastNumber] = Inquiry(question: question, calls: [call])
        callCount += 1
        return .opened(lastNumber)
    }

    /// Takes a question out with all its calls.
    mutating func close(_ number: UInt64) -> Inquiry? {
        let inquiry = inquiries.removeValue(forKey: number)
        callCount -= inquiry?.calls.count ?? 0
        return inquiry
    }

    /// Lets a call go that waits no more; its question stays, for its answer comes.
    mutating func forget(_ call: Waiter) {
        for number in inquiries.keys {
            guard let place = inquiries[number]?.calls.firstIndex(where: { $0 === call }) else { continue }
            inquiries[number]?.calls.remove(at: place)
            callCount -= 1
            return
        }
    }
}

extension Question {
    /// Whose answer it needs.
    fileprivate var issuer: String {
        switch self {
        case .keys(let issuer, _): issuer
        case .introspection(let issuer, _), .statusList(let issuer, _): issuer
        case .event(let feed, _, _): feed
        }
    }

    /// Whether it is a security event.
    fileprivate var isEvent: Bool {
        if case .event = self { return true }
        return false
    }

    /// Whether the answer to this one answers the other as well: a fetch brings all keys of an issuer.
    fileprivate func isAnswered(with other: Question) -> Bool {
        if case .keys(let issuer, _) = self, case .keys(issuer, _) = other { return true }
        return self == other
    }
}
