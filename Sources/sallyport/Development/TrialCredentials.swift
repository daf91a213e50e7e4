import Bytes
import Cryptography
import JSON

/// What a call carries beside the certificate: a token, and the key that proves it where it is bound to one.
struct TrialCredentials {
    /// The token.
    let token: String
    /// What sort of proof the token calls for; nothing where it calls for none.
    let proofKind: TrialProof.Kind?
    /// The key of the caller, or nothing to send no proof.
    let proofKey: PrivateKey?

    /// Takes a token as it is: what it says of its own binding decides what is sent with it.
    init(token: String, proofKey: PrivateKey?) {
        self.token = token
        self.proofKey = proofKey
        proofKind = Self.proofKind(of: token)
    }

    /// The fields of a call, with a fresh proof.
    func fields(method: String, url: HTTPSURL, nonce: String?, now: UnixTime) throws -> [String] {
        let proof = try proof(method: method, url: url, nonce: nonce, now: now)
        switch proofKind {
        case nil: return ["Authorization: Bearer \(token)"]
        case .dpop: return ["Authorization: DPoP \(token)"] + (proof.map { ["DPoP: \($0)"] } ?? [])
        case .wpt:
            return ["Workload-Identity-Token: \(token)"] + (proof.map { ["Workload-Proof-Token: \($0)"] } ?? [])
        }
    }

    private func proof(method: String, url: HTTPSURL, nonce: String?, now: UnixTime) throws -> String? {
        guard let proofKind, let proofKey else { return nil }
        let proof = TrialProof(kind: proofKind, method: method, url: url, token: token, nonce: nonce)
        return try proof.signed(by: proofKey, now: now)
    }

    /// What the header's `typ` and the claim `cnf` say; nothing for what is no JWT.
    private static func proofKind(of token: String) -> TrialProof.Kind? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = document(parts[0]), let claims = document(parts[1]) else { return nil }
        if header.root.member("typ")?.equals("wit+jwt") ?? false { return .wpt }
        guard let confirmation = claims.root.member("cnf") else { return nil }
        let namesKey = confirmation.member("jkt") != nil || confirmation.member("jwk") != nil
        return namesKey ? .dpop : nil
    }

    private static func document(_ part: Substring) -> JSONDocument? {
        let text = String(part)
        guard let bytes = Base64URL.decode(text.utf8.span) else { return nil }
        return try? JSONDocument(bytes.span)
    }
}
