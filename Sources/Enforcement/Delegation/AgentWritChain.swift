import Bytes
public import Cryptography
public import JSON

/// The chain of an AgentWrit token: a record of each agent that passed it on, bound to the token by its hash.
public struct AgentWritChain: Sendable {
    /// Its records, the first delegation first; none where nobody passed the token on.
    public let records: [DelegationRecord]

    /// Reads `delegation_chain`, whose bytes as written must have the hash `chain_hash`.
    ///
    /// Nothing of it is believed before ``verify(_:keys:engine:)``.
    ///
    /// - Parameters:
    ///   - chain: the value of `delegation_chain`, if it is there.
    ///   - hash: the value of `chain_hash`, if it is there.
    ///   - engine: the thread's.
    /// - Throws: `missingLink` where there is a hash without a chain, `hash`, `form`, `depth`.
    public init(_ chain: JSONValue?, hash: JSONValue?, engine: CryptographicEngine) throws(LineageFault) {
        guard let chain else {
            guard hash == nil else { throw LineageFault(.missingLink) }
            records = []
            return
        }
        guard chain.kind == .array else { throw LineageFault(.form) }
        try Self.check(hash, of: chain, engine)
        guard chain.count <= Lineage.maximumDepth else { throw LineageFault(.depth, at: Lineage.maximumDepth) }
        records = try Self.records(chain)
    }

    /// Through whom the token came.
    public var lineage: Lineage {
        Lineage(records.map { LineageLink(agent: $0.agent, scopes: $0.scopes) })
    }

    /// An empty chain needs no hash; where there is one it must be right.
    private static func check(
        _ hash: JSONValue?, of chain: JSONValue, _ engine: CryptographicEngine
    ) throws(LineageFault) {
        guard let hash else {
            guard chain.count == 0 else { throw LineageFault(.hash) }
            return
        }
        guard let text = hash.text, let stated = Digest256(hexadecimal: text), engine.sha256(chain.raw) == stated else {
            throw LineageFault(.hash)
        }
    }

    private static func records(_ chain: JSONValue) throws(LineageFault) -> [DelegationRecord] {
        var records: [DelegationRecord] = []
        var elements = chain.elements
        while let element = elements.next() {
            guard let record = DelegationRecord(element) else { throw LineageFault(.form, at: records.count) }
            records.append(record)
        }
        return records
    }
}
