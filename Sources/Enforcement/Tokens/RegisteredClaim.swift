/// A claim that we read; the raw value is what the audit record calls it.
public enum RegisteredClaim: String, CaseIterable, Sendable {
    case issuer = "iss"
    case subject = "sub"
    case audience = "aud"
    case expiry = "exp"
    case notBefore = "nbf"
    case issuedAt = "iat"
    case tokenID = "jti"
    case clientID = "client_id"
    case scope
    case confirmation = "cnf"
    case authenticationContext = "acr"
    case authenticationTime = "auth_time"
    case delegationChain = "delegation_chain"
    case chainHash = "chain_hash"
    case authorizationDetails = "authorization_details"
    case delegationDepth = "del_depth"
    case delegationMaximumDepth = "del_max_depth"
    case parentHash = "par_hash"
    case sponsor
    case task
    case orchestration
    case status
}
