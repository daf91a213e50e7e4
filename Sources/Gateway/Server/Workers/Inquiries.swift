import Exchange

/// The questions of one worker that the control thread has not answered yet, each with the calls that wait for it.
struct Inquiries {
    /// A question, asked once for all calls that want to know the same.
    struct Inquiry {
        let question: Question
        var calls: [Call]
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
    /// The most questions that may be open: each holds a request.
    private static let limit = 256
    /// The most calls that may wait for one answer.
    private static let callLimit = 4096

    /// Takes a call in.
    mutating func open(_ question: Question, for call: Call) -> Opening {
        if let number = inquiries.first(where: { $0.value.question == question })?.key {
            guard inquiries[number, default: Inquiry(question: question, calls: [])].calls.count < Self.callLimit else {
                return .full
            }
            inquiries[number]?.calls.append(call)
            return .joined
        }
        guard inquiries.count < Self.limit else { return .full }
        lastNumber += 1
        inquiries[lastNumber] = Inquiry(question: question, calls: [call])
        return .opened(lastNumber)
    }

    /// Takes a question out with all its calls.
    mutating func close(_ number: UInt64) -> Inquiry? {
        inquiries.removeValue(forKey: number)
    }
}
