import Bytes
import Configuration
import Cryptography
import Delegation
import Exchange
import HTTP
import Identity
import Policy
import Possession
import Tokens

// What each step has established, in words. Nothing that opens a door is among it: no token, no proof, no query.
extension Explainer {
    /// The client, as far as its certificate says.
    static func describe(_ peer: VerifiedPeer?, on listener: ListenerConfiguration) -> String {
        guard let peer else { return "listener \(listener.name), no client certificate" }
        let name = peer.spiffeID?.text ?? "\(peer.certificate.subject) (\(peer.trustDomain))"
        let end = text(peer.certificate.notAfter)
        return """
            listener \(listener.name), certificate of \(name) until \(end), SHA-256 \
            \(peer.certificate.fingerprint.hexadecimal); that the client holds its key is assumed
            """
    }

    /// A certificate that was refused: what it says is not to be believed.
    static func describe(refused leaf: Certificate?, on listener: ListenerConfiguration) -> String {
        guard let facts = leaf?.facts else { return "listener \(listener.name), no client certificate" }
        let (start, end) = (text(facts.notBefore), text(facts.notAfter))
        return "listener \(listener.name), certificate of \(facts.subject) from \(start) until \(end)"
    }

    /// What the gateway would have to find out.
    static func describe(_ question: Question) -> String {
        switch question {
        case .keys(let issuer, let keyID):
            let key = keyID.map { "the key \($0)" } ?? "the keys"
            return "\(key) of \(issuer), to be fetched from its jwks_url"
        case .introspection(let issuer, _):
            return "whether the token is active, of the introspection endpoint of \(issuer)"
        case .statusList(let issuer, let uri):
            return "the token's status, of the list \(uri) of \(issuer)"
        case .event(let feed, _, _):
            return "what comes of a security event of the feed \(feed)"
        }
    }

    /// What the decision has left in the exchange.
    func facts(of exchange: borrowing Exchange, upTo reached: ExplainedStep) -> [ExplainedStep: String] {
        var facts: [ExplainedStep: String] = [:]
        let authority = String(validating: exchange.request.authority.readable) ?? ""
        if exchange.origin == nil {
            facts[.target] = "authority \(authority)"
        } else {
            facts[.target] = "https://\(authority), path \(String(validating: exchange.target.path) ?? "")"
        }
        if let route = exchange.route { facts[.route] = Self.describe(route) }
        if let claims = exchange.claims { facts[.token] = Self.describe(claims, exchange.scheme) }
        if !exchange.possession.isEmpty {
            let proven = exchange.possession.methods.map(\.rawValue).joined(separator: " and ")
            facts[.binding] = "proven by \(proven)"
        }
        guard [.revocation, .policy, .replay].contains(reached), let claims = exchange.claims else { return facts }
        facts[.lineage] = Self.describe(claims.lineage)
        facts[.revocation] = "against an empty list: explain knows of no revocations"
        if reached == .replay {
            facts[.policy] = exchange.grant.map { "grant \($0.text)" } ?? "the route asks for no scope"
            facts[.replay] = "against an empty memory: explain knows of no proof that was used"
        }
        return facts
    }

    /// A route and what it asks for.
    private static func describe(_ route: Route) -> String {
        let scope = route.requirement.scope.map { ", scope \($0.text)" } ?? ""
        return "\(route.name), takes \(route.accepted.methods.map(\.rawValue).joined(separator: " or "))\(scope)"
    }

    private static func describe(_ claims: TokenClaims, _ scheme: AuthorizationScheme?) -> String {
        var parts = ["\(claims.profile.rawValue) token of \(claims.issuer) for \(claims.subject)"]
        if let actor = claims.actor { parts.append("for whom \(actor) acts") }
        if let identifier = claims.tokenID { parts.append("id \(identifier)") }
        parts.append("until \(text(claims.expiresAt))")
        if !claims.scopes.isEmpty { parts.append("scope \(claims.scopes.joined(separator: " "))") }
        switch scheme {
        case .bearer: parts.append("presented as Bearer")
        case .dpop: parts.append("presented as DPoP")
        case nil: parts.append("presented as a workload token")
        }
        return parts.joined(separator: ", ")
    }

    private static func describe(_ lineage: Lineage) -> String {
        switch lineage.depth {
        case 0: "no delegation"
        case 1: "passed on once"
        default: "passed on \(lineage.depth) times"
        }
    }

    /// The chain behind the token: as it was judged, or where it does not hold, as the token says.
    static func drawing(of exchange: borrowing Exchange) -> LineageDrawing {
        if let claims = exchange.claims {
            let links = claims.lineage.links.map { LineageDrawing.Holder(name: $0.agent, scopes: $0.scopes) }
            let holder = LineageDrawing.Holder(name: claims.agent, scopes: claims.scopes)
            return LineageDrawing(holders: links + [holder], fault: nil, isVerified: true)
        }
        guard let fault = exchange.lineageFault, let line = exchange.request.fields.firstIndex(of: .authorization)
        else { return LineageDrawing(holders: [], fault: nil, isVerified: false) }
        let value = exchange.request.fields.value(line)
        let start = value.firstIndex(of: UInt8(ascii: " ")).map { $0 + 1 } ?? 0
        let token = value.extracting(start..<value.count)
        var stated = StatedLineage.holders(in: token)
        for index in 0..<exchange.request.fields.count
        where exchange.request.fields.name(index).equals("delegation-chain") {
            stated = StatedLineage.holders(in: token, after: exchange.request.fields.value(index))
        }
        return LineageDrawing(holders: stated, fault: fault, isVerified: false)
    }

    /// A moment as RFC 3339, to the second.
    static func text(_ time: UnixTime) -> String {
        var text = ByteQueue()
        text.append(rfc3339: UnixTime(seconds: time.seconds))
        let whole = String(validating: text.readable) ?? ""
        return whole.replacing(".000000Z", with: "Z")
    }
}
