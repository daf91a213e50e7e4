import Revocation

/// What feeds have told the gateway since it was asked last.
struct FeedNews: Sendable {
    /// What was taken back: to be made durable and enforced.
    var revocations: [Revocation] = []
    /// The number to settle those by; nothing where there are none.
    var batch: UInt64?
    /// The status lists as they are now; nothing where they have not changed.
    var statusLists: StatusListTable?
    /// Whether the freshness of a feed has changed.
    var freshnessChanged = false
    /// The feeds that have become stale; each is told once.
    var stale: [String] = []
    /// The feeds that are heard again; each is told once.
    var recovered: [String] = []
    /// The URIs of status lists whose askers can be answered, once the lists are published.
    var settledLists: [String] = []

    /// Whether nothing was told.
    var isEmpty: Bool {
        revocations.isEmpty && statusLists == nil && !freshnessChanged && stale.isEmpty && recovered.isEmpty
            && settledLists.isEmpty
    }
}

/// What becomes of a delivery of security events (RFC 8935 §2.2, §2.3).
enum PushVerdict: Sendable {
    /// It is believed: to be answered 202 once its revocations, if it has any, are durable and enforced.
    case accepted(FeedNews)
    /// It is refused: to be answered with that status and a JSON object of the members `err` and `description`.
    case refused(status: Int, err: String, description: String)
}
