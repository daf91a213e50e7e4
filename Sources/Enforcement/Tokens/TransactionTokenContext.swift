/// The call that a transaction token is about.
public struct TransactionTokenContext: Equatable, Sendable {
    /// The unique name of the transaction (`txn`): the request's identifier.
    public var transaction: String
    /// What the call is allowed for (`scope`): scopes with one space between them; empty where the route asks for none.
    public var scope: String
    /// The name of the route.
    public var route: String
    /// The method of the request.
    public var method: String
    /// The path of the request in normal form, without its query; nothing: it is not told.
    public var path: String?
    /// The address of the client without its port; nothing where it has none.
    public var clientAddress: String?
    /// Who makes the call: the SPIFFE ID of the client's certificate, or else the token's subject.
    public var agent: String
    /// The proofs of possession that hold, by name.
    public var possession: [String]

    /// Gathers a context.
    public init(
        transaction: String, scope: String, route: String, method: String, path: String?, clientAddress: String?,
        agent: String, possession: [String]
    ) {
        self.transaction = transaction
        self.scope = scope
        self.route = route
        self.method = method
        self.path = path
        self.clientAddress = clientAddress
        self.agent = agent
        self.possession = possession
    }
}
