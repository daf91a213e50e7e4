import Policy
import Tokens

/// The claims that routes ask for, by whose tokens may bring them.
enum RetainedClaims {
    /// The issuers, each told to keep the claims that a route which takes its tokens asks for.
    static func asked(by routes: [Route], of issuers: [TokenIssuer]) -> [TokenIssuer] {
        issuers.map { issuer in
            let names = routes.filter { $0.requirement.issuers.contains(issuer.issuer) }
                .flatMap { $0.requirement.claims.map(\.name) }
            return issuer.with(retainedClaims: Set(names))
        }
    }
}
