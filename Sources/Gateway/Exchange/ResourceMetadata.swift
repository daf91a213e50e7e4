import Bytes
public import Configuration
public import Cryptography
import JSON
public import Policy
import Possession
public import Tokens

/// What a client may know of the gateway before it has a token: protected resource metadata (RFC 9728).
public enum ResourceMetadata {
    /// Where the metadata of an origin is found (RFC 9728 §3).
    public static let path = "/.well-known/oauth-protected-resource"
    /// Where the keys are found that transaction tokens are signed with.
    public static let keySetPath = "/.well-known/jwks.json"

    /// The URL of an origin's metadata, for `resource_metadata` in a challenge (RFC 9728 §5.1).
    public static func url(of origin: Origin) -> String {
        origin.description + path
    }

    /// The metadata of each origin of a listener: what its host's routes accept, and no more.
    ///
    /// - Parameters:
    ///   - listener: the listener; its name is the resource's.
    ///   - routes: all routes.
    ///   - issuers: all issuers.
    ///   - dpopAlgorithms: the algorithms that DPoP proofs may be signed with, preferred first.
    public static func documents(
        for listener: ListenerConfiguration, routes: [Route], issuers: [TokenIssuer],
        dpopAlgorithms: [SignatureAlgorithm]
    ) -> [Origin: ServedDocument] {
        var documents: [Origin: ServedDocument] = [:]
        for origin in listener.origins {
            let reachable = routes.filter { $0.match.host == nil || $0.match.host == origin.host }
            documents[origin] = document(
                of: origin, named: listener.name, routes: reachable, issuers: issuers, dpopAlgorithms: dpopAlgorithms)
        }
        return documents
    }

    /// The JWK Set that transaction tokens are verified with.
    public static func keySet(of settings: TransactionTokenSettings) -> ServedDocument {
        ServedDocument(
            path: keySetPath, contentType: "application/jwk-set+json", body: Array(settings.keySet.utf8))
    }

    // MARK: The document

    /// Members whose value would be an empty list are left out (RFC 9728 §3.2).
    private static func document(
        of origin: Origin, named name: String, routes: [Route], issuers: [TokenIssuer],
        dpopAlgorithms: [SignatureAlgorithm]
    ) -> ServedDocument {
        let proofs = routes.map(\.requirement.possession)
        var json = ByteQueue()
        json.append("{\"resource\":")
        json.append(jsonString: origin.description)
        append("authorization_servers", authorizationServers(of: routes, among: issuers), to: &json)
        append("scopes_supported", scopes(of: routes), to: &json)
        append("bearer_methods_supported", ["header"], to: &json)
        json.append(",\"resource_name\":")
        json.append(jsonString: name)
        if proofs.contains(where: { $0.contains(.dpop) }) {
            append("dpop_signing_alg_values_supported", dpopAlgorithms.map(\.rawValue), to: &json)
        }
        append("tls_client_certificate_bound_access_tokens", proofs.contains { $0.contains(.certificate) }, to: &json)
        let demandsDPoP = !proofs.isEmpty && proofs.allSatisfy { $0 == [.dpop] }
        append("dpop_bound_access_tokens_required", demandsDPoP, to: &json)
        json.append("}")
        return ServedDocument(path: path, contentType: "application/json", body: Array(copying: json.readable))
    }

    /// The issuers that a client can ask for a token, in the order of the configuration.
    ///
    /// An authorization server is known by an `https` URL (RFC 8414 §2); no other issuer follows that profile.
    private static func authorizationServers(of routes: [Route], among issuers: [TokenIssuer]) -> [String] {
        let accepted = Set(routes.flatMap(\.requirement.issuers))
        return distinct(
            issuers.filter { $0.profile == .oauth && $0.issuer.hasPrefix("https://") && accepted.contains($0.issuer) }
                .map(\.issuer))
    }

    private static func scopes(of routes: [Route]) -> [String] {
        distinct(routes.compactMap { $0.requirement.scope?.text }.map(withWildcards))
    }

    /// The template with `*` for each hole: the widest grant that it could ask for.
    private static func withWildcards(_ template: String) -> String {
        var text = ""
        var rest = template[...]
        while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
            text += rest[..<start] + "*"
            rest = rest[rest.index(after: end)...]
        }
        return text + rest
    }

    private static func distinct(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }

    // MARK: Members

    private static func append(_ name: StaticString, _ values: [String], to json: inout ByteQueue) {
        guard !values.isEmpty else { return }
        appendName(name, to: &json)
        json.append("[")
        for (index, value) in values.enumerated() {
            if index > 0 { json.append(",") }
            json.append(jsonString: value)
        }
        json.append("]")
    }

    private static func append(_ name: StaticString, _ value: Bool, to json: inout ByteQueue) {
        appendName(name, to: &json)
        value ? json.append("true") : json.append("false")
    }

    private static func appendName(_ name: StaticString, to json: inout ByteQueue) {
        json.append(",\"")
        json.append(name)
        json.append("\":")
    }
}
