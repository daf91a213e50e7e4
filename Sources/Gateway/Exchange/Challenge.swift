import Bytes
import HTTP
import Policy
import Possession

/// The `WWW-Authenticate` fields of an answer (RFC 6750 §3, RFC 9449 §7.1); nothing of a request is repeated in them.
struct Challenge {
    let denial: Denial
    /// The route that the request was for, if it was for one.
    let route: Route?
    /// How the token was presented, if one was.
    let scheme: AuthorizationScheme?
    /// Where the client finds the rest (RFC 9728 §5.1).
    let metadataURL: String?
    /// The algorithms that proofs may be signed with, separated by spaces (RFC 9449 §7.1).
    let algorithms: String

    /// Appends a field for each scheme that could help.
    func append(to fields: inout FieldTable) {
        switch denial.code {
        case .invalidRequest:
            append(.bearer, error: "invalid_request", to: &fields)
            append(.dpop, error: "invalid_request", to: &fields)
        case .credentialsMissing:
            // A 401 has a challenge (RFC 9110 §15.5.2), also where no scheme of one would do.
            if takesBearer || !takesProofs { append(.bearer, to: &fields) }
            if takesProofs { append(.dpop, to: &fields) }
        case .invalidToken: append(error: "invalid_token", to: &fields)
        case .invalidProof: append(.dpop, error: "invalid_dpop_proof", to: &fields)
        case .nonceRequired: append(.dpop, error: "use_dpop_nonce", to: &fields)
        case .insufficientScope, .policy: append(error: "insufficient_scope", to: &fields)
        case .insufficientAuthentication: append(error: "insufficient_user_authentication", to: &fields)
        default: break
        }
    }

    private var takesProofs: Bool { route?.accepted.contains(.dpop) ?? false }
    private var takesBearer: Bool { route.map { !$0.accepted.isDisjoint(with: [.certificate, .svid]) } ?? true }

    /// The error goes to the scheme that the client used; the other one is only named, and only where it could be used.
    private func append(error: StaticString, to fields: inout FieldTable) {
        let used = scheme ?? .bearer
        append(used, error: error, to: &fields)
        guard denial.code == .invalidToken else { return }
        if used == .bearer, takesProofs { append(.dpop, to: &fields) }
        if used == .dpop, takesBearer, route != nil { append(.bearer, to: &fields) }
    }

    private func append(_ scheme: AuthorizationScheme, error: StaticString? = nil, to fields: inout FieldTable) {
        var value = ByteQueue()
        value.append(scheme == .bearer ? "Bearer realm=\"sallyport\"" : "DPoP ")
        if let error {
            if scheme == .bearer { value.append(", ") }
            value.append("error=\"")
            value.append(error)
            value.append("\"")
        }
        if scheme == .dpop {
            if error != nil { value.append(", ") }
            append("algs", algorithms, to: &value, isFirst: true)
        }
        if let scope = denial.scope, error == nil || denial.code == .insufficientScope {
            append("scope", scope, to: &value)
        }
        if denial.code == .insufficientAuthentication { appendAuthentication(to: &value) }
        if let metadataURL { append("resource_metadata", metadataURL, to: &value) }
        fields.append(.wwwAuthenticate, value: value.readable)
    }

    /// RFC 9470 §3.
    private func appendAuthentication(to value: inout ByteQueue) {
        guard let requirement = route?.requirement else { return }
        let contexts = requirement.authenticationContexts.joined(separator: " ")
        append("acr_values", contexts, to: &value)
        if let age = requirement.maximumAuthenticationAge {
            append("max_age", "\(age.nanoseconds / 1_000_000_000)", to: &value)
        }
    }

    /// Appends a parameter, unless its text has no place between quotes (RFC 9110 §5.6.4).
    private func append(_ name: StaticString, _ text: String, to value: inout ByteQueue, isFirst: Bool = false) {
        let isQuotable = text.utf8.allSatisfy {
            $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        guard !text.isEmpty, isQuotable else { return }
        if !isFirst { value.append(", ") }
        value.append(name)
        value.append("=\"")
        value.append(utf8: text)
        value.append("\"")
    }
}
