import Bytes
import Cryptography

/// A chain of delegation as an AgentWrit broker writes it: the delegator's own, and behind it a record of this delegation.
struct DelegationChain {
    /// The claim `delegation_chain`, whose bytes are what ``hash`` is of.
    let json: String
    /// The claim `chain_hash`.
    let hash: String

    /// Records that `delegator` passes on what it holds.
    ///
    /// The broker signs that, not the agent: `agent|scope,scope|delegated_at` by Ed25519, in hexadecimal.
    init(
        from delegator: TrialDelegator, signedBy broker: PrivateKey, forging forgery: DelegationForgery?, now: UnixTime
    ) throws {
        let time = Self.timestamp(now)
        let signed = [delegator.spiffeID, delegator.scopes.joined(separator: ","), time].joined(separator: "|")
        let signature = try broker.sign(signed.utf8.span, with: TrialIssuer.agentwrit.algorithm)
        var record = JSONObjectText()
        record.set("agent", delegator.spiffeID)
        record.set("scope", forgery == .tamper ? delegator.scopes + [Self.addedScope] : delegator.scopes)
        record.set("delegated_at", time)
        record.set("signature", Hexadecimal.encode(signature.span))
        json = "[\((delegator.records + [record.text]).joined(separator: ","))]"
        hash = try CryptographicEngine().sha256(json.utf8.span).hexadecimal
    }

    /// What a tampered record holds that was not signed.
    private static let addedScope = "write:tasks:*"

    /// To the nanosecond, without the zeros at the end, as Go's `RFC3339Nano` writes it.
    private static func timestamp(_ time: UnixTime) -> String {
        var queue = ByteQueue()
        queue.append(rfc3339: time)
        let seconds = String(decoding: Array(copying: queue.readable), as: UTF8.self).prefix { $0 != "." }
        var fraction = String(String(1_000_000_000 + time.nanoseconds - time.seconds * 1_000_000_000).dropFirst())
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(seconds)Z" : "\(seconds).\(fraction)Z"
    }
}
