import Bytes
import Delegation
import HTTP
import Policy
import Possession

@testable import Tokens

/// Routes and claims for tests, each member as every rule allows unless said otherwise.
enum Trial {
    static let issuer = "https://broker.example.test"

    static func target(_ text: String) throws -> NormalizedTarget {
        var target = NormalizedTarget()
        try target.normalize(text.utf8.span)
        return target
    }

    static func route(
        _ path: String, methods: [String] = ["GET"], host: String? = nil, scope: String? = nil,
        issuers: [String] = [issuer], possession: Set<PossessionMethod> = [.certificate], depth: Int = 5,
        claims: [ClaimRule] = [], sponsor: Bool = false, contexts: [String] = [], age: Interval? = nil,
        name: String = "route"
    ) throws -> Route {
        let pattern = try PathPattern(path)
        let template: ScopeTemplate? =
            if let scope { try ScopeTemplate(scope, parameters: pattern.parameterNames) } else { nil }
        return Route(
            name: name, match: RouteMatch(methods: methods, host: host, path: pattern),
            requirement: RouteRequirement(
                issuers: issuers, possession: possession, scope: template, maximumDelegationDepth: depth,
                allowsSubjectMismatch: false, claims: claims, requiresSponsor: sponsor,
                authenticationContexts: contexts, maximumAuthenticationAge: age),
            forwarding: ForwardingRule(authorization: .strip, clientCertificate: false), upstream: "orders")
    }

    static func claims(
        issuer: String = issuer, scopes: [String] = [], sponsor: String? = nil, context: String? = nil,
        authenticatedAt: UnixTime? = nil, retained: [String: ClaimValue] = [:],
        capabilities: AttenuatingCapabilities? = nil
    ) -> TokenClaims {
        TokenClaims(
            issuer: issuer, issuerIndex: 0, subject: "agent", subjectID: nil, tokenID: "t", clientID: "c",
            issuedAt: UnixTime(seconds: 1), expiresAt: UnixTime(seconds: 2), notBefore: nil, scopes: scopes,
            confirmations: .none, task: nil, orchestration: nil, sponsor: sponsor,
            authenticationContext: context, authenticatedAt: authenticatedAt, retained: retained,
            capabilities: capabilities, signingKey: .zero)
    }
}
