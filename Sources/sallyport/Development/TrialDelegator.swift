import Bytes
import Delegation
import JSON

/// The agent that passes its authority on, as its token tells of it.
struct TrialDelegator {
    /// Who it is.
    let spiffeID: String
    /// What it holds.
    let scopes: [String]
    /// The orchestration that its token is for; a delegated token keeps it.
    let orchestration: String
    /// The task that its token is for; a delegated token keeps it.
    let task: String
    /// The human who answers for it, and for whoever works for it.
    let sponsor: String?
    /// When its token expires.
    let expiry: UnixTime
    /// The records of its own chain, each as JSON, the first that delegated first.
    let records: [String]

    /// Whether it holds `scope`, and may therefore pass it on: the same, or all that there is of that kind.
    func holds(_ scope: String) -> Bool {
        ScopeGrant.cover(scopes, [scope])
    }
}

extension AgentFolder {
    /// Whether it is the folder of `delegator`, whose files a sub-agent's would replace.
    func holds(_ delegator: TrialDelegator) -> Bool {
        (try? TrialDelegator(self))?.spiffeID == delegator.spiffeID
    }
}

extension TrialDelegator {
    /// Reads the token in `folder`, which must be of the kind that AgentWrit writes.
    init(_ folder: AgentFolder) throws {
        let parts = try folder.readToken().split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64URL.decode(parts[1].utf8.span),
            let claims = try? JSONDocument(payload.span), let delegator = Self(claims.root)
        else {
            throw CommandFailure.couldNotRun(
                "\(folder.path) holds no token that can be delegated; make its agent with --binding svid")
        }
        self = delegator
    }

    private init?(_ claims: JSONValue) {
        guard let agent = claims.member("sub")?.string, let scopes = claims.member("scope"), scopes.kind == .array,
            let task = claims.member("task_id")?.string, let orchestration = claims.member("orch_id")?.string,
            let expiry = claims.member("exp")?.integer
        else { return nil }
        spiffeID = agent
        var texts: [String] = []
        var elements = scopes.elements
        while let scope = elements.next() {
            guard let text = scope.string else { return nil }
            texts.append(text)
        }
        self.scopes = texts
        self.orchestration = orchestration
        self.task = task
        sponsor = claims.member("original_principal")?.string
        self.expiry = UnixTime(seconds: expiry)
        records = Self.records(claims)
    }

    /// As they are written: their signatures are over what they say, and the chain's hash is over every byte.
    private static func records(_ claims: JSONValue) -> [String] {
        guard let chain = claims.member("delegation_chain") else { return [] }
        var records: [String] = []
        var elements = chain.elements
        while let record = elements.next() {
            records.append(String(decoding: Array(copying: record.raw), as: UTF8.self))
        }
        return records
    }
}
