import Exchange

/// One step on the way of a request: what comes before the decision, and its phases.
enum ExplainedStep: String, CaseIterable {
    /// The handshake, as far as the listener's rules for certificates go.
    case connection
    /// The request's head, as the HTTP machine reads it.
    case message
    case target, route, token, binding, lineage, revocation, policy, replay

    /// The step that is a phase of the decision.
    init(_ phase: DecisionPhase) {
        self =
            switch phase {
            case .target: .target
            case .route: .route
            case .token: .token
            case .binding: .binding
            case .lineage: .lineage
            case .revocation: .revocation
            case .policy: .policy
            case .replay: .replay
            }
    }
}

/// What a client would be told.
struct ClientAnswer: Equatable {
    /// The status of the answer.
    let status: UInt16
    /// What its problem document says, for people.
    let title: String
    /// Its fields that matter: the challenges, and when to come again.
    let fields: [(name: String, value: String)]

    static func == (left: ClientAnswer, right: ClientAnswer) -> Bool {
        left.status == right.status && left.title == right.title
            && left.fields.elementsEqual(right.fields) { $0 == $1 }
    }
}

/// A decision told step by step: plain values in, lines out.
struct Explanation {
    /// How the way of the request ends.
    enum Outcome {
        /// It goes to the upstream of that name.
        case allowed(upstream: String)
        /// The gateway itself answers it.
        case served(contentType: String)
        /// It is denied in the step that was reached.
        case denied(Denial, ClientAnswer)
        /// The handshake fails with an alert: no request is ever read.
        case handshakeFailed(reason: String)
        /// It cannot be said without asking somebody, and nobody is asked.
        case undecided(question: String)
    }

    /// The last step that was looked at: it is where the request failed, if it did.
    let reached: ExplainedStep
    /// What each step has established, for people; nothing of it is secret.
    let facts: [ExplainedStep: String]
    /// The chain behind the token, drawn; none where nobody passed it on.
    var chain: [String] = []
    /// How it ends.
    let outcome: Outcome
    /// When the decision is made, as RFC 3339.
    let time: String

    /// Whether the call would be answered with what it asked for.
    var isAllowed: Bool {
        switch outcome {
        case .allowed, .served: true
        case .denied, .handshakeFailed, .undecided: false
        }
    }

    /// The whole text, line by line.
    var lines: [String] {
        [Self.line("time", time)] + ExplainedStep.allCases.map(line) + drawing + [""] + verdict
    }

    // MARK: Steps

    private var drawing: [String] {
        guard !chain.isEmpty else { return [] }
        return [""] + chain.enumerated().map { Self.line($0 == 0 ? "chain" : "", $1) }
    }

    private func line(_ step: ExplainedStep) -> String {
        let order = ExplainedStep.allCases
        let (place, end) = (order.firstIndex(of: step) ?? 0, order.firstIndex(of: reached) ?? 0)
        // A chain is judged with its token, before anybody asks who holds that.
        let isSkipped = step == .binding && reached == .lineage
        guard place <= end, !isSkipped else { return Self.line(step.rawValue, "not reached") }
        let mark = place < end ? nil : mark
        let fact = [place < end ? nil : reason, facts[step]].compactMap(\.self).joined(separator: ", ")
        return Self.line(step.rawValue, mark ?? "passed", fact)
    }

    /// What stands at the step that was reached last, where it was not passed.
    private var mark: String? {
        switch outcome {
        case .allowed, .served: nil
        case .denied, .handshakeFailed: "refused"
        case .undecided: "undecided"
        }
    }

    /// The exact check that failed, if one did.
    private var reason: String? {
        switch outcome {
        case .denied(let denial, _): denial.reason
        case .handshakeFailed(let reason): reason
        case .allowed, .served, .undecided: nil
        }
    }

    private static func line(_ name: String, _ told: String, _ fact: String = "") -> String {
        (padded(name, 12) + (fact.isEmpty ? told : padded(told, 13) + fact)).printable
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    // MARK: The verdict

    private var verdict: [String] {
        switch outcome {
        case .allowed(let upstream): [Self.line("verdict", "allowed: it goes to the upstream \(upstream)")]
        case .served(let contentType):
            [Self.line("verdict", "allowed: the gateway itself answers it with 200, \(contentType)")]
        case .denied(let denial, let answer):
            [Self.line("verdict", "refused: \(denial.status) \(denial.code.rawValue)")] + ground(denial.reason)
                + Self.told(answer, closesConnection: denial.closesConnection)
        case .handshakeFailed(let reason):
            [Self.line("verdict", "refused: the handshake fails")] + ground(reason)
                + [Self.line("client", "told a TLS alert, and nothing else")]
        case .undecided(let question):
            [
                Self.line("verdict", "undecided: the gateway would ask, and explain asks nobody"),
                Self.line("question", question),
            ]
        }
    }

    /// The exact reason, the rule behind it, and what only the running gateway could know.
    private func ground(_ reason: String) -> [String] {
        var lines = [Self.line("reason", reason)]
        if let rule = RuleSource(reason: reason) { lines.append(Self.line("rule", "\(rule)")) }
        if reason == "dpop.nonce-unknown" {
            lines.append(
                Self.line("note", "only the running gateway recognises the nonces that it gave out; explain knows none")
            )
        }
        return lines
    }

    private static func told(_ answer: ClientAnswer, closesConnection: Bool) -> [String] {
        let end = closesConnection ? "; the connection ends" : ""
        return [line("client", "told \(answer.status), \(answer.title)\(end)")]
            + answer.fields.map { line("", "\($0.name): \($0.value)") }
    }
}

extension String {
    /// The text on one line: what is no printable character is escaped, as `\u{1B}`.
    var printable: String {
        var text = ""
        for scalar in unicodeScalars {
            let isPrintable =
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
                default: true
                }
            text += isPrintable ? String(scalar) : "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
        return text
    }
}
