public import Identity

/// What is known of the connection that a request came over: the same for all its requests.
public final class ConnectionContext: Sendable {
    /// The listener that accepted it.
    public let rules: ListenerRules
    /// The client's verified certificate, if it presented one.
    public let peer: VerifiedPeer?
    /// The client's address, such as `192.0.2.1:51234`.
    public let address: String
    /// The host that the client named in SNI.
    public let serverName: String?
    /// Which of the listener's certificates it was shown.
    public let certificateIndex: Int

    /// Gathers what the handshake has brought.
    public init(
        rules: ListenerRules, peer: VerifiedPeer?, address: String, serverName: String?, certificateIndex: Int
    ) {
        self.rules = rules
        self.peer = peer
        self.address = address
        self.serverName = serverName
        self.certificateIndex = certificateIndex
    }

    /// The same connection under other rules, with what they make of its client.
    public func under(_ rules: ListenerRules, peer: VerifiedPeer?) -> ConnectionContext {
        ConnectionContext(
            rules: rules, peer: peer, address: address, serverName: serverName, certificateIndex: certificateIndex)
    }
}
