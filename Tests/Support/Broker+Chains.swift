import Bytes
import Cryptography

/// What a record of an AgentWrit chain says, before the broker signs it.
public struct ChainRecord: Sendable {
    /// Who delegated.
    public var agent: String
    /// What that agent was allowed.
    public var scopes: [String]
    /// When.
    public var delegatedAt: String

    /// Makes a record.
    public init(_ agent: String, _ scopes: [String], at delegatedAt: String) {
        self.agent = agent
        self.scopes = scopes
        self.delegatedAt = delegatedAt
    }
}

extension Broker {
    /// A record as an AgentWrit broker writes it, signed.
    ///
    /// - Parameter signed: what the signature is over, where that is another record.
    public func json(_ record: ChainRecord, signing signed: ChainRecord? = nil) throws -> String {
        let signed = signed ?? record
        let text = "\(signed.agent)|\(signed.scopes.joined(separator: ","))|\(signed.delegatedAt)"
        let signature = try key.sign(text.utf8.span, with: algorithm)
        let scopes = record.scopes.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"agent":"\#(record.agent)","scope":[\#(scopes)],"delegated_at":"\#(record.delegatedAt)","#
            + #""signature":"\#(Hexadecimal.encode(signature.span))"}"#
    }

    /// The claims of a chain of records, as they stand, with its hash.
    public static func chainClaims(_ records: [String]) throws -> [String: String?] {
        let chain = "[" + records.joined(separator: ",") + "]"
        let hash = try CryptographicEngine().sha256(chain.utf8.span).hexadecimal
        return ["delegation_chain": chain, "chain_hash": "\"\(hash)\""]
    }

    /// A token at the end of a chain of records, with some claims changed, added, or (where nil) left out.
    public func agentWritToken(chain: [ChainRecord], _ changed: [String: String?] = [:]) throws -> [UInt8] {
        let claims = try Self.chainClaims(chain.map { try json($0) })
        return try agentWritToken(claims.merging(changed) { $1 })
    }
}
