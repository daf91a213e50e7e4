import Bytes
public import Identity
public import JSON

/// Who acts for the subject of a token, and who did before (RFC 8693 §4.1).
///
/// Only the outermost actor is a party to a decision; those within are who acted before, and are recorded.
public struct ActorChain: Equatable, Sendable {
    /// The names of all actors (`sub`), the present one first; never empty.
    public let names: [String]
    /// The present actor.
    public let current: String
    /// The same as a SPIFFE ID, where it is one.
    public let currentID: SPIFFEID?

    /// Reads the claim `act`.
    ///
    /// Each actor has a `sub`; an `iss` beside it is allowed. Whatever else stands there means nothing (§4.1: claims that are
    /// about no identity are not used).
    ///
    /// - Throws: `form`; `depth` where there are more actors than any chain may have links.
    public init(_ act: JSONValue) throws(LineageFault) {
        var names: [String] = []
        var next: JSONValue? = act
        while let actor = next {
            guard names.count < Lineage.maximumDepth else { throw LineageFault(.depth) }
            names.append(try Self.name(of: actor))
            next = actor.member("act")
        }
        self.names = names
        current = names[0]
        currentID = AgentName.spiffeID(names[0])
    }

    /// Through whom the authority of `subject` came to the present actor.
    public func lineage(of subject: String) -> Lineage {
        Lineage(([subject] + names.dropFirst().reversed()).map { LineageLink(agent: $0) })
    }

    private static func name(of actor: JSONValue) throws(LineageFault) -> String {
        guard actor.kind == .object, let name = AgentName.read(actor.member("sub")) else { throw LineageFault(.form) }
        if let issuer = actor.member("iss"), issuer.kind != .string { throw LineageFault(.form) }
        return name
    }
}
