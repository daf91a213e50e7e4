import Identity

/// Does what operators ask: the gateway's part of administration, on the control thread.
protocol AdminDesk: AnyObject {
    /// Does what is asked, and answers now or later; a reply that is never used is answered for it in the end.
    ///
    /// - Parameters:
    ///   - request: what is asked; well-formed.
    ///   - actor: who asks.
    ///   - reply: takes one answer.
    func handle(_ request: AdminRequest, by actor: AdminActor, reply: AdminReply)

    /// Whether an operator's own certificate, agent or key is revoked; that everything is does not count, since somebody must
    /// be able to take it back.
    func isRevoked(_ peer: VerifiedPeer) -> Bool

    /// Somebody was not let in; for a record.
    ///
    /// - Parameters:
    ///   - peer: its address, or its identity where that is proven.
    ///   - reason: such as `certificate.expired`.
    func refusedOperator(peer: String, reason: String)
}

/// What one request is answered with, once.
struct AdminReply {
    /// Names the exchange; no later one has this number.
    let id: UInt64
    private weak var server: AdminServer?

    init(id: UInt64, server: AdminServer) {
        self.id = id
        self.server = server
    }

    /// Sends the answer; a second one, or one for an operator who has left, goes nowhere.
    func callAsFunction(_ answer: AdminAnswer) {
        server?.answer(id, answer)
    }
}
