import Bytes
import Cryptography

/// A token of an agent as one of the trial's issuers writes it.
struct AgentToken {
    private let request: AgentRequest
    private var jwt = TrialJWT()

    /// The keys that a token may be bound to.
    struct Keys {
        /// The fingerprint of the agent's certificate.
        let certificate: Digest256
        /// The agent's proof key, where it has one.
        let proof: PrivateKey?
    }

    /// Makes the claims.
    ///
    /// - Parameters:
    ///   - request: what is asked for.
    ///   - identity: whose token it is.
    ///   - issuer: the name of the issuer.
    ///   - audience: whom it is for, or nothing for a token that names nobody.
    ///   - keys: what `cnf` may name (RFC 7800).
    ///   - chain: through whom it came to the agent, where somebody delegated.
    ///   - now: when it is issued; one that expired by some time was issued so much earlier.
    init(
        _ request: AgentRequest, identity: AgentIdentity, issuer: String, audience: String?, keys: Keys,
        chain: DelegationChain? = nil, now: UnixTime
    ) {
        self.request = request
        let expiry = request.expiredBy.map { now - $0 } ?? now + request.lifetime
        jwt.claims.set("iss", issuer)
        jwt.claims.set("sub", identity.spiffeID)
        jwt.claims.set("iat", expiry - request.lifetime)
        jwt.claims.set("exp", expiry)
        jwt.claims.set("jti", RandomBytes.hexadecimal(count: 16))
        switch request.binding.issuer {
        case .broker: setAccessClaims(audience, identity)
        case .workloads: setWorkloadClaims()
        case .agentwrit: setAgentWritClaims(audience, notBefore: expiry - request.lifetime)
        }
        jwt.claims.set("delegation_chain", json: chain?.json)
        jwt.claims.set("chain_hash", chain?.hash)
        jwt.claims.set("cnf", json: confirmation(keys))
        for claim in request.claims { jwt.claims.set(claim.name, json: claim.json) }
    }

    /// The compact JWS, by the issuer's key.
    func signed(by key: PrivateKey) throws -> String {
        var jwt = jwt
        jwt.header.set("kid", key.publicKey.thumbprint.base64URL)
        return try jwt.signed(by: key, with: request.binding.issuer.algorithm)
    }

    /// RFC 9068 §2.2.
    private mutating func setAccessClaims(_ audience: String?, _ identity: AgentIdentity) {
        jwt.header.set("typ", "at+jwt")
        jwt.claims.set("aud", audience)
        jwt.claims.set("client_id", identity.spiffeID)
        if !request.scopes.isEmpty { jwt.claims.set("scope", request.scopes.joined(separator: " ")) }
        setContext(orchestration: "orchestration_id", sponsor: "sponsor")
    }

    /// A Workload Identity Token names no audience and holds no grants.
    private mutating func setWorkloadClaims() {
        jwt.header.set("typ", "wit+jwt")
        setContext(orchestration: "orchestration_id", sponsor: "sponsor")
    }

    private mutating func setAgentWritClaims(_ audience: String?, notBefore: UnixTime) {
        jwt.header.set("typ", "JWT")
        if let audience { jwt.claims.set("aud", [audience]) }
        jwt.claims.set("nbf", notBefore)
        jwt.claims.set("scope", request.scopes)
        setContext(orchestration: "orch_id", sponsor: "original_principal")
    }

    private mutating func setContext(orchestration: String, sponsor: String) {
        jwt.claims.set("task_id", request.task)
        jwt.claims.set(orchestration, request.orchestration)
        jwt.claims.set(sponsor, request.sponsor)
    }

    private func confirmation(_ keys: Keys) -> String? {
        var confirmation = JSONObjectText()
        if request.binding.namesCertificate { confirmation.set("x5t#S256", keys.certificate.base64URL) }
        if let key = keys.proof {
            switch request.binding.issuer {
            // A Workload Identity Token shows the whole key, with its one algorithm.
            case .workloads:
                confirmation.set("jwk", json: key.publicJWK(keyID: nil, algorithm: request.proofAlgorithm))
            case .broker, .agentwrit: confirmation.set("jkt", key.publicKey.thumbprint.base64URL)
            }
        }
        return confirmation.members.isEmpty ? nil : confirmation.text
    }
}
