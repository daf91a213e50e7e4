import Bytes
import Cryptography
import JSON

/// A JWT access token (RFC 9068) as the trial's broker issues it.
struct AccessToken {
    /// Claims in the order they are written, each with its value as JSON.
    private(set) var claims: [(name: String, json: String)] = []

    /// Makes the claims.
    ///
    /// - Parameters:
    ///   - certificate: the fingerprint that `cnf.x5t#S256` is to name (RFC 8705 §3.1).
    ///   - now: when it is issued; one that expired by some time was issued so much earlier.
    init(
        _ request: AgentRequest, identity: AgentIdentity, issuer: String, audience: String, now: UnixTime,
        certificate: Digest256
    ) {
        let expiry = request.expiredBy.map { now - $0 } ?? now + request.lifetime
        var tokenID: [UInt8] = []
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<16 { tokenID.append(.random(in: 0...255, using: &generator)) }
        set("iss", Self.string(issuer))
        set("aud", Self.string(audience))
        set("sub", Self.string(identity.spiffeID))
        set("client_id", Self.string(identity.spiffeID))
        set("iat", "\((expiry - request.lifetime).seconds)")
        set("exp", "\(expiry.seconds)")
        set("jti", Self.string(Hexadecimal.encode(tokenID.span)))
        if request.binding == .certificate { set("cnf", "{\"x5t#S256\":\(Self.string(certificate.base64URL))}") }
        if !request.scopes.isEmpty { set("scope", Self.string(request.scopes.joined(separator: " "))) }
        set("task_id", Self.string(request.task))
        set("orchestration_id", Self.string(request.orchestration))
        if let sponsor = request.sponsor { set("sponsor", Self.string(sponsor)) }
        for claim in request.claims { set(claim.name, claim.json) }
    }

    /// The compact JWS (RFC 7515 §3.1), with ES256.
    func signed(by key: PrivateKey) throws -> String {
        let keyID = key.publicKey.thumbprint.base64URL
        let header = "{\"alg\":\"ES256\",\"kid\":\(Self.string(keyID)),\"typ\":\"at+jwt\"}"
        let members = claims.map { "\(Self.string($0.name)):\($0.json)" }
        let payload = "{\(members.joined(separator: ","))}"
        let signed = "\(Base64URL.encode(header.utf8.span)).\(Base64URL.encode(payload.utf8.span))"
        let signature = try key.sign(signed.utf8.span, with: .es256)
        return "\(signed).\(Base64URL.encode(signature.span))"
    }

    /// Sets a claim, or removes it where there is no value.
    private mutating func set(_ name: String, _ json: String?) {
        let index = claims.firstIndex { $0.name == name }
        switch (index, json) {
        case (let index?, let json?): claims[index].json = json
        case (let index?, nil): claims.remove(at: index)
        case (nil, let json?): claims.append((name, json))
        case (nil, nil): break
        }
    }

    private static func string(_ text: String) -> String {
        var queue = ByteQueue()
        queue.append(jsonString: text)
        return String(decoding: Array(copying: queue.readable), as: UTF8.self)
    }
}
