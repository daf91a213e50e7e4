import Bytes
import Cryptography
import JSON

/// Reads the delegation chain of an AgentWrit token, strictly; it judges no link.
struct DelegationReader: ~Escapable {
    private let payload: ClaimReader
    private let engine: CryptographicEngine

    @_lifetime(copy payload)
    init(_ payload: ClaimReader, engine: CryptographicEngine) {
        self.payload = payload
        self.engine = engine
    }

    /// The records of `delegation_chain`, whose bytes as written must have the hash `chain_hash`.
    ///
    /// - Returns: none where the claim is absent or an empty array.
    func records() throws(TokenRejection) -> [DelegationRecord] {
        guard let chain = payload.value(.delegationChain) else {
            guard !payload.has(.chainHash) else { throw .invalid(.chainHash) }
            return []
        }
        guard chain.kind == .array, chain.count <= DelegationRecord.maximumCount else {
            throw .invalid(.delegationChain)
        }
        try checkHash(of: chain)
        var records: [DelegationRecord] = []
        var elements = chain.elements
        while let element = elements.next() { records.append(try Self.record(element)) }
        return records
    }

    /// An empty chain needs no hash; where there is one it must be right.
    private func checkHash(of chain: JSONValue) throws(TokenRejection) {
        guard let value = payload.value(.chainHash) else {
            guard chain.count == 0 else { throw .missing(.chainHash) }
            return
        }
        guard let text = value.text, let stated = Digest256(hexadecimal: text),
            engine.sha256(chain.raw) == stated
        else { throw .invalid(.chainHash) }
    }

    private static func record(_ value: JSONValue) throws(TokenRejection) -> DelegationRecord {
        guard value.kind == .object, let agent = value.member("agent")?.text, !agent.isEmpty, agent.count <= 2048,
            ClaimReader.Alphabet.visible.allows(agent), let agent = String(validating: agent),
            let scopes = value.member("scope"), scopes.kind == .array,
            let time = value.member("delegated_at")?.text, isTimestamp(time), let time = String(validating: time),
            let signature = value.member("signature")?.text, signature.count == 128,
            let signature = Hexadecimal.decode(signature)
        else { throw .invalid(.delegationChain) }
        do throws(TokenRejection) {
            return DelegationRecord(
                agent: agent, scopes: try ClaimReader.scopes(listed: scopes), delegatedAt: time, signature: signature)
        } catch {
            throw .invalid(.delegationChain)
        }
    }

    /// Whether it is `2026-02-15T12:00:00.123456789Z`, the fraction being optional (RFC 3339 §5.6, in UTC).
    private static func isTimestamp(_ text: Span<UInt8>) -> Bool {
        let format = "0000-00-00T00:00:00"
        let form = format.utf8.span
        let length = form.count
        guard text.count > length, text[text.count - 1] == UInt8(ascii: "Z") else { return false }
        for index in 0..<length {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index])
            guard form[index] == UInt8(ascii: "0") ? isDigit : text[index] == form[index] else { return false }
        }
        guard text.count > length + 1 else { return true }
        guard text[length] == UInt8(ascii: "."), (3...11).contains(text.count - length) else { return false }
        for index in length + 1..<text.count - 1 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) else { return false }
        }
        return true
    }
}
