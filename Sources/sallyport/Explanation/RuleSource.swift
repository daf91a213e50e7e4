/// The rule behind a reason for a refusal: a sentence for the operator, and where it is written.
struct RuleSource: Equatable, CustomStringConvertible {
    /// Where the rule is written, such as `RFC 9449 §4.3 step 9`, or the key of the configuration that asks for it.
    let source: String
    /// What is wrong with the request by that rule.
    let sentence: String

    /// `RFC 9449 §4.3 step 9: the proof's htu is not the URI of the request`.
    var description: String { "\(source): \(sentence)" }

    /// Finds the rule of a reason, or of the longest beginning of it that ends at a dot.
    ///
    /// `token.claim-missing.exp` is told by the row `token.claim-missing`, with the claim's name where the sentence has `*`.
    init?(reason: String) {
        var words = reason.split(separator: ".", omittingEmptySubsequences: false)
        var rest = ""
        while !words.isEmpty {
            if let row = Self.table[words.joined(separator: ".")] {
                source = row.source
                sentence = row.sentence.replacing("*", with: rest)
                return
            }
            let last = words.removeLast()
            rest = rest.isEmpty ? String(last) : "\(last).\(rest)"
        }
        return nil
    }

    private typealias Row = (reason: String, source: String, sentence: String)

    /// The reasons that the table speaks of, or of whose beginnings.
    static var reasons: [String] { table.keys.sorted() }

    private static let table: [String: (source: String, sentence: String)] = {
        let rows =
            connectionRows + messageRows + credentialRows + tokenRows + lineageRows + proofRows + workloadProofRows
            + decisionRows
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.reason, ($0.source, $0.sentence)) })
    }()
}

// MARK: The handshake and the message

extension RuleSource {
    private static let connectionRows: [Row] = [
        (
            "certificate.crl-expired", "RFC 5280 §6.3.3 (a)(1)",
            "every revocation list about a certificate of the path has expired"
        ), ("certificate.crl-missing", "RFC 5280 §6.3.3", "no revocation list of its issuer is about the certificate"),
        (
            "certificate.expired", "RFC 5280 §6.1.3 (a)(2)",
            "a certificate of the client's path is not valid any more"
        ),
        ("certificate.internal", "RFC 5280 §6.1", "the path could not be validated"),
        ("certificate.malformed", "RFC 5280 §4.1", "the client's certificate cannot be read"),
        ("certificate.memory", "RFC 5280 §6.1", "there was no memory to validate the path"),
        (
            "certificate.missing", "RFC 8446 §4.4.2.4",
            "the listener asks for a client certificate (clients.certificate: required), and there is none"
        ),
        ("certificate.name", "RFC 9525 §6", "the upstream's certificate does not bear the name that is expected"),
        (
            "certificate.not-yet-valid", "RFC 5280 §6.1.3 (a)(2)",
            "a certificate of the client's path is not valid yet"
        ),
        (
            "certificate.path", "RFC 5280 §6.1",
            "the certificate's path breaks a rule: a weak key or signature, its length, or a constraint"
        ),
        ("certificate.purpose", "RFC 5280 §4.2.1.12", "the certificate is not for clients of TLS"),
        ("certificate.revoked", "RFC 5280 §6.1.3 (a)(3)", "a certificate of the client's path is revoked"),
        ("certificate.signature", "RFC 5280 §6.1.3 (a)(1)", "a signature in the certificate's path does not verify"),
        (
            "certificate.untrusted", "X509-SVID §5.2",
            "no certificate of the bundle of its trust domain vouches for the client's certificate"
        ),
        (
            "svid.alternative-names-not-critical", "RFC 5280 §4.2.1.6",
            "the subject is empty and the alternative names are not critical"
        ),
        ("svid.certificate-authority", "X509-SVID §4.1", "a signing certificate does not authenticate a workload"),
        ("svid.extended-key-usage", "X509-SVID §4.4", "the extended key usage does not name servers and clients"),
        ("svid.foreign-trust-domain", "X509-SVID §5.2", "the listener lists no trust domain of that name"),
        ("svid.identifier", "SPIFFE-ID §2", "the URI of the certificate is not a SPIFFE ID"),
        ("svid.key-usage-not-critical", "X509-SVID §4.3", "the key usage is not critical"),
        ("svid.no-digital-signature", "X509-SVID §4.3", "the key usage does not allow digital signatures"),
        ("svid.no-key-usage", "X509-SVID §4.3", "the certificate has no key usage"),
        ("svid.no-path", "X509-SVID §5.2", "the SPIFFE ID has no path: it names a trust domain, not a workload"),
        ("svid.no-uri", "X509-SVID §2", "the certificate has no URI among its alternative names"),
        ("svid.several-uris", "X509-SVID §2", "the certificate has more than one URI among its alternative names"),
        ("svid.signing-key-usage", "X509-SVID §4.3", "the key usage allows signatures on certificates or CRLs"),
        ("svid.unexpected", "X509-SVID §5.2", "the upstream is none of the workloads that are expected"),
    ]

    private static let messageRows: [Row] = [
        ("limit.body-bytes", "limits.body_bytes", "the declared content is longer than the limit"),
        ("limit.chain-bytes", "limits.chain_bytes", "the Delegation-Chain field is longer than the limit"),
        ("limit.full", "routes[].limits", "so many agents are counted that there is no room to count this one"),
        ("limit.header-bytes", "limits.header_bytes", "the field lines take more bytes than the limit"),
        ("limit.header-count", "limits.header_count", "there are more field lines than the limit"),
        ("limit.proof-bytes", "limits.proof_bytes", "the proof is longer than the limit"),
        ("limit.target-bytes", "limits.header_bytes", "the request line is longer than the limit"),
        ("limit.token-bytes", "limits.token_bytes", "the token is longer than the limit"),
        (
            "malformed.authority", "RFC 9112 §3.2.2",
            "the authority of the target is malformed, holds user information, or differs from Host"
        ),
        ("malformed.chunk", "RFC 9112 §7.1", "the chunked content is malformed"),
        ("malformed.connect", "RFC 9110 §9.3.6", "CONNECT is never allowed"),
        ("malformed.content-length", "RFC 9112 §6.3", "Content-Length is malformed, or there is more than one"),
        ("malformed.expectation", "RFC 9110 §10.1.1", "the expectation is another than 100-continue"),
        ("malformed.field-line", "RFC 9112 §5", "a field line is malformed or folded"),
        ("malformed.field-name", "RFC 9110 §5.1", "a field name is not a token"),
        ("malformed.field-value", "RFC 9110 §5.5", "a field value holds a control character"),
        ("malformed.framing", "RFC 9112 §6.3", "Content-Length and Transfer-Encoding come together"),
        ("malformed.host", "RFC 9112 §3.2", "Host is missing, repeated or malformed"),
        ("malformed.line-ending", "RFC 9112 §2.2", "a line does not end with CR LF"),
        ("malformed.method", "RFC 9110 §9.1", "the method is not a token"),
        ("malformed.pseudo-field", "RFC 9113 §8.3", "a pseudo-field is missing, repeated or unknown"),
        ("malformed.request-line", "RFC 9112 §3", "the request line is malformed"),
        ("malformed.status-line", "RFC 9112 §4", "the status line is malformed"),
        ("malformed.target", "RFC 9112 §3.2", "the request target is in none of the allowed forms"),
        ("malformed.target-above-root", "RFC 3986 §5.2.4", "the path has more .. than segments to remove"),
        ("malformed.target-character", "RFC 3986 §3.3", "the path or query holds a character that it may not hold"),
        ("malformed.target-double-encoding", "RFC 3986 §2.4", "the path is percent-encoded twice"),
        ("malformed.target-empty-segment", "RFC 3986 §3.3", "the path has an empty segment: // is read in two ways"),
        ("malformed.target-encoded-control", "RFC 3986 §7.3", "the path hides a control character by percent-encoding"),
        ("malformed.target-encoded-dot-segment", "RFC 3986 §6.2.2.2", "a segment is . or .. only after decoding"),
        ("malformed.target-encoded-separator", "RFC 3986 §2.2", "the path hides a separator by percent-encoding"),
        ("malformed.target-encoding", "RFC 3629 §3", "the percent-encoded bytes of the path are not UTF-8"),
        ("malformed.target-escape", "RFC 3986 §2.1", "a percent sign without two hexadecimal digits behind it"),
        ("malformed.target-form", "RFC 9112 §3.2.1", "the target does not begin with a slash"),
        ("malformed.target-segment-parameter", "RFC 3986 §3.3", "a segment has parameters: ; is read in two ways"),
        ("malformed.trailer", "RFC 9112 §7.1.2", "a trailer field is malformed or not allowed there"),
        ("malformed.transfer-encoding", "RFC 9112 §6.1", "Transfer-Encoding is another than chunked"),
        ("malformed.truncated", "RFC 9112 §8", "the message ends before its end"),
        ("malformed.upgrade", "RFC 9110 §7.8", "the protocol that was switched to is not the one that was asked for"),
        ("malformed.version", "RFC 9112 §2.3", "the version of HTTP is not supported"),
        ("target.authority", "RFC 9110 §7.4", "the authority is not an origin of the listener (listeners[].origins)"),
        ("target.scheme", "RFC 9110 §7.4", "the target names http, and the listener serves https"),
        ("route.none", "routes", "no route matches the method, the host and the path"),
    ]

    private static let credentialRows: [Row] = [
        (
            "credentials.bound-token-as-bearer", "RFC 9449 §7.2",
            "a token that is bound to a key was presented as a Bearer token"
        ),
        ("credentials.empty-chain", "the field Delegation-Chain", "the Delegation-Chain field names no token"),
        ("credentials.in-query", "RFC 6750 §2.3", "a token in the query of the URL is never accepted"),
        ("credentials.malformed", "RFC 9110 §11.4", "Authorization is not a scheme, one space and a token"),
        ("credentials.missing", "RFC 6750 §3.1", "the request bears no credentials"),
        ("credentials.other-scheme", "RFC 9110 §11.1", "the scheme of Authorization is neither Bearer nor DPoP"),
        ("credentials.two-authorization-fields", "RFC 6750 §2", "there is more than one Authorization field"),
        ("credentials.two-chain-fields", "the field Delegation-Chain", "there is more than one Delegation-Chain field"),
        ("credentials.two-dpop-fields", "RFC 9449 §4.3 step 1", "there is more than one DPoP field"),
        (
            "credentials.unbound-token-as-dpop", "RFC 9449 §7.1",
            "a token that is bound to no key was presented under the DPoP scheme"
        ),
    ]
}

// MARK: The token

extension RuleSource {
    private static let tokenRows: [Row] = [
        (
            "token.algorithm", "RFC 8725 §3.1",
            "the token's alg is not one that its issuer may use (issuers[].algorithms)"
        ),
        ("token.audience", "RFC 9068 §4", "none of the issuer's audiences is in the token's aud (issuers[].audiences)"),
        (
            "token.chain-unexpected", "the field Delegation-Chain",
            "there is a chain of tokens beside a token that is not at the end of one"
        ),
        ("token.claim-invalid", "RFC 7519 §4.1", "the claim * has the wrong type, or a value that is not accepted"),
        ("token.claim-invalid.acr", "RFC 9470 §6.1", "the claim acr is not a string that is accepted"),
        ("token.claim-invalid.auth_time", "RFC 9470 §6.1", "the claim auth_time is not a time"),
        (
            "token.claim-invalid.cnf", "RFC 7800 §3.1",
            "the confirmation is malformed, or shows a key that it may not show"
        ),
        ("token.claim-missing", "RFC 9068 §2.2", "the claim * is missing"),
        ("token.critical", "RFC 7515 §4.1.11", "the header asks for extensions that are not understood (crit, b64)"),
        (
            "token.delegation-unsupported", "issuers[].profile",
            "the token speaks of delegation in a way that tokens of its issuer's kind do not"
        ),
        ("token.encrypted", "RFC 7519 §3", "the token is encrypted, not signed"),
        ("token.expired", "RFC 7519 §4.1.4", "the token's time is over (exp, and issuers[].clock_leeway)"),
        ("token.header", "RFC 7515 §4", "the token's header is not strict JSON, or a member has the wrong type"),
        ("token.inactive", "RFC 7662 §2.2", "the issuer says that the token is not active"),
        ("token.introspection-answer", "RFC 7662 §2.2", "the issuer's answer about the token cannot be understood"),
        ("token.introspection-needed", "RFC 7662 §2.1", "only the issuer can say whether the token is valid"),
        ("token.issued-in-future", "RFC 7519 §4.1.6", "the token was issued in the future (iat)"),
        ("token.issuer", "RFC 9068 §4", "the token's iss is not a configured issuer (issuers[].issuer)"),
        (
            "token.issuer-ambiguous", "draft-ietf-wimse-workload-creds",
            "more than one issuer could have issued the workload token, and it does not say which"
        ),
        ("token.key", "RFC 7515 §4.1.4", "the issuer's key set has no key of the token's kid, or no single key"),
        ("token.key-algorithm", "RFC 7517 §4.4", "the issuer's key may not be used with the token's alg"),
        ("token.key-unknown", "RFC 7515 §4.1.4", "the issuer has published no key of the token's kid"),
        ("token.keys-missing", "issuers[].jwks_url", "the issuer's keys have not been fetched, or are too old"),
        ("token.lifetime", "issuers[].maximum_token_lifetime", "the token lives longer than its issuer may let it"),
        ("token.malformed", "RFC 7515 §3.1", "the token is not three parts of canonical base64url"),
        ("token.not-yet-valid", "RFC 7519 §4.1.5", "the token's time has not come (nbf)"),
        ("token.opaque", "RFC 7662 §2", "the token is no JWT, and there is not exactly one issuer to ask about it"),
        ("token.payload", "RFC 7519 §7.2 step 10", "the token's payload is not a strict JSON object"),
        ("token.profile", "issuers[].profile", "the issuer issues tokens of another kind"),
        ("token.signature", "RFC 7515 §5.2", "the token's signature does not verify"),
        (
            "token.trust-domain", "issuers[].trust_domains",
            "the token's sub, or its act.sub, is of a trust domain that its issuer may not name"
        ),
        ("token.type", "RFC 8725 §3.11", "the token's typ says that it is something else than an access token"),
    ]
}

// MARK: The chain behind the token

extension RuleSource {
    private static let lineageRows: [Row] = [
        (
            "lineage.capability", "draft-niyikiza-oauth-attenuating-agent-tokens",
            "a token of the chain holds capabilities that the one before it does not"
        ),
        (
            "lineage.cycle", "AgentWrit delegation_chain; draft-niyikiza-oauth-attenuating-agent-tokens",
            "somebody, or one token, is in the chain twice"
        ),
        (
            "lineage.depth", "AgentWrit delegation_chain; draft-niyikiza-oauth-attenuating-agent-tokens",
            "the chain is longer than any may be, or than it allows itself"
        ),
        (
            "lineage.form", "AgentWrit delegation_chain; RFC 8693 §4.1; draft-niyikiza-oauth-attenuating-agent-tokens",
            "a link of the chain is not written as it must be"
        ),
        ("lineage.hash", "AgentWrit chain_hash", "the chain is not the one that chain_hash is the hash of"),
        (
            "lineage.missing-link", "AgentWrit chain_hash; draft-niyikiza-oauth-attenuating-agent-tokens",
            "the chain, or a link of it, is missing"
        ),
        (
            "lineage.order", "AgentWrit delegated_at; draft-niyikiza-oauth-attenuating-agent-tokens",
            "a delegation was made before the one that it follows, or after its token"
        ),
        (
            "lineage.outlives-parent",
            "issuers[].maximum_token_lifetime; draft-niyikiza-oauth-attenuating-agent-tokens",
            "the token, or a delegation, is later than the end of what was passed on"
        ),
        (
            "lineage.parent-hash", "draft-niyikiza-oauth-attenuating-agent-tokens",
            "a token of the chain was not made out of the one before it (par_hash)"
        ),
        ("lineage.scope", "AgentWrit delegation_chain", "somebody passed on a scope that it does not have"),
        (
            "lineage.signature", "RFC 8032 §5.1.7; draft-niyikiza-oauth-attenuating-agent-tokens",
            "a record of the chain is not signed by a key of the issuer, or a token not by the one before it"
        ),
        (
            "lineage.trust-domain", "issuers[].trust_domains",
            "somebody in the chain is of a trust domain that the issuer may not name"
        ),
    ]
}

// MARK: Proofs

extension RuleSource {
    private static let proofRows: [Row] = [
        ("dpop.algorithm", "RFC 9449 §4.3 step 5", "the proof's alg is not accepted (possession.dpop.algorithms)"),
        ("dpop.ath", "RFC 9449 §4.3 step 12", "the proof's ath is not the hash of the token"),
        (
            "dpop.claim-invalid", "RFC 9449 §4.2",
            "the proof's claim * has the wrong type, or a value that is not accepted"
        ),
        ("dpop.claim-missing", "RFC 9449 §4.3 step 3", "the proof's claim * is missing"),
        ("dpop.critical", "RFC 7515 §4.1.11", "the proof's header asks for extensions that are not understood"),
        ("dpop.encrypted", "RFC 9449 §4.2", "the proof is encrypted, not signed"),
        ("dpop.expired", "RFC 7519 §4.1.4", "the proof is over by its own exp"),
        (
            "dpop.header", "RFC 9449 §4.3 step 2",
            "the proof's header is not strict JSON, or a member has the wrong type"
        ),
        ("dpop.htm", "RFC 9449 §4.3 step 8", "the proof's htm is not the method of the request"),
        ("dpop.htu", "RFC 9449 §4.3 step 9", "the proof's htu is not the URI of the request"),
        (
            "dpop.iat-future", "RFC 9449 §4.3 step 11",
            "the proof was made in the future (possession.dpop.future_skew)"
        ),
        (
            "dpop.iat-past", "RFC 9449 §4.3 step 11",
            "the proof was made too long ago (possession.dpop.accept_window)"
        ),
        ("dpop.jkt", "RFC 9449 §4.3 step 12", "the proof was made by another key than the token is bound to"),
        ("dpop.key", "RFC 9449 §4.2", "the proof's jwk is missing, malformed, weak or of a kind that is not supported"),
        ("dpop.key-algorithm", "RFC 7517 §4.4", "the proof's key may not be used with its alg"),
        ("dpop.key-use", "RFC 7517 §4.2", "the proof's key says that it is not for verifying signatures"),
        ("dpop.malformed", "RFC 9449 §4.3 step 2", "the proof is not one well-formed JWT"),
        ("dpop.missing", "RFC 9449 §7.1", "the token is bound to a key, and the request bears no proof by it"),
        ("dpop.multiple", "RFC 9449 §4.3 step 2", "the DPoP field holds more than one value"),
        ("dpop.nonce-missing", "RFC 9449 §9", "the gateway wants a nonce in the proof (possession.dpop.nonce)"),
        ("dpop.nonce-unknown", "RFC 9449 §4.3 step 10", "the proof's nonce is not one that was given out lately"),
        ("dpop.not-yet-valid", "RFC 7519 §4.1.5", "the proof's time has not come by its own nbf"),
        ("dpop.payload", "RFC 9449 §4.3 step 2", "the proof's payload is not strict JSON"),
        ("dpop.private-key", "RFC 9449 §4.3 step 7", "the proof's jwk shows a private key"),
        ("dpop.signature", "RFC 9449 §4.3 step 6", "the proof's signature does not verify with its own jwk"),
        ("dpop.symmetric-key", "RFC 9449 §4.3 step 5", "the proof's jwk is a symmetric key"),
        ("dpop.type", "RFC 9449 §4.3 step 4", "the proof's typ is not dpop+jwt"),
    ]

    private static let workloadProofRows: [Row] = [
        ("wpt.alg", "draft-ietf-wimse-wpt §2", "the proof's alg is not the one that the workload token's key names"),
        ("wpt.algorithm", "draft-ietf-wimse-wpt §2", "the proof's alg is unknown or not accepted"),
        ("wpt.ath", "draft-ietf-wimse-wpt §2", "the proof's ath is not the hash of the access token"),
        ("wpt.aud", "draft-ietf-wimse-wpt §2", "the proof's aud is not the URI of the request, nor an alias of it"),
        (
            "wpt.claim-invalid", "draft-ietf-wimse-wpt §2",
            "the proof's claim * has the wrong type or a value not accepted"
        ),
        ("wpt.claim-missing", "draft-ietf-wimse-wpt §2", "the proof's claim * is missing"),
        ("wpt.claim-unexpected", "draft-ietf-wimse-wpt §2", "the proof's claim * is about a token that is not there"),
        ("wpt.critical", "RFC 7515 §4.1.11", "the proof's header asks for extensions that are not understood"),
        ("wpt.encrypted", "draft-ietf-wimse-wpt §2", "the proof is encrypted, not signed"),
        ("wpt.expired", "draft-ietf-wimse-wpt §2", "the proof's time is over (exp)"),
        (
            "wpt.header", "draft-ietf-wimse-wpt §2",
            "the proof's header is not strict JSON, or a member has the wrong type"
        ),
        ("wpt.iat-future", "RFC 7519 §4.1.6", "the proof was made in the future"),
        ("wpt.key", "draft-ietf-wimse-wpt §2", "there is no single key for the proof"),
        ("wpt.key-algorithm", "RFC 7517 §4.4", "the workload token's key may not be used with the proof's alg"),
        ("wpt.lifetime", "draft-ietf-wimse-wpt §2", "the proof lives longer than a proof may"),
        ("wpt.malformed", "draft-ietf-wimse-wpt §2", "the proof is not one well-formed JWT"),
        ("wpt.missing", "draft-ietf-wimse-wpt §3", "there is a Workload-Identity-Token without a Workload-Proof-Token"),
        ("wpt.multiple", "draft-ietf-wimse-wpt §3", "the Workload-Proof-Token field holds more than one value"),
        ("wpt.not-yet-valid", "RFC 7519 §4.1.5", "the proof's time has not come by its own nbf"),
        (
            "wpt.oth", "draft-ietf-wimse-wpt §2",
            "the proof's oth is about a field that is not there once, or is another"
        ),
        ("wpt.payload", "draft-ietf-wimse-wpt §2", "the proof's payload is not strict JSON"),
        (
            "wpt.signature", "draft-ietf-wimse-wpt §2",
            "the proof's signature does not verify with the workload token's key"
        ),
        (
            "wpt.token-missing", "draft-ietf-wimse-wpt §3",
            "there is a Workload-Proof-Token without a Workload-Identity-Token"
        ),
        ("wpt.tth", "draft-ietf-wimse-wpt §2", "the proof's tth is not the hash of the transaction token"),
        ("wpt.two-fields", "draft-ietf-wimse-wpt §3", "a field of the workload token or of its proof comes twice"),
        ("wpt.two-txn-tokens", "draft-ietf-wimse-wpt §2", "there is more than one Txn-Token field"),
        ("wpt.type", "draft-ietf-wimse-wpt §2", "the proof's typ is not wpt+jwt"),
        ("wpt.unbound", "draft-ietf-wimse-workload-creds", "the workload token names no key (cnf.jwk)"),
        ("wpt.wth", "draft-ietf-wimse-wpt §2", "the proof's wth is not the hash of the workload token"),
    ]
}

// MARK: What is demanded of a caller

extension RuleSource {
    private static let decisionRows: [Row] = [
        (
            "possession.certificate-mismatch", "RFC 8705 §3",
            "the token is bound to another certificate than the client's (cnf.x5t#S256)"
        ),
        (
            "possession.certificate-missing", "RFC 8705 §3",
            "the token is bound to a certificate, and the client presented none"
        ),
        ("possession.key-mismatch", "RFC 7800 §3", "the proof was made by another key than the token names"),
        (
            "possession.proof-missing", "RFC 7800 §3",
            "the token is bound to a key, and the request bears no proof by it"
        ),
        (
            "possession.subject-mismatch", "routes[].require.dangerously_allow_subject_mismatch",
            "the client's certificate and the token's sub (or act.sub) name two different workloads"
        ),
        (
            "possession.unbound", "RFC 7800 §3",
            "the token has no confirmation (cnf): whoever finds it could use it"
        ),
        ("possession.unsupported", "RFC 7800 §3.1", "the token demands a proof of a kind that is not supported"),
        ("revocation.agent", "revocation", "the agent was revoked"),
        ("revocation.certificate", "revocation", "the certificate was revoked"),
        ("revocation.chain", "revocation", "the root of the delegation chain was revoked"),
        ("revocation.everything", "revocation", "every call is refused, by an operator's order"),
        ("revocation.key", "revocation", "the key was revoked"),
        ("revocation.stale", "revocation.feeds", "a feed of revocations has been silent for too long"),
        ("revocation.status", "revocation.feeds", "the issuer's status list says that the token is not valid"),
        ("revocation.status-invalid", "revocation.feeds", "the token's status can stand in no list that is known"),
        ("revocation.status-unknown", "revocation.feeds", "the status list that the token names could not be read"),
        ("revocation.task", "revocation", "the task was revoked"),
        ("revocation.token", "revocation", "the token was revoked"),
        ("policy.claim", "routes[].require.claims", "the claim * is absent, or not what the route asks for"),
        (
            "policy.delegation", "routes[].require.delegation",
            "the token was delegated more often than the route allows"
        ),
        ("policy.issuer", "routes[].require.issuers", "the route takes no tokens of that issuer"),
        ("policy.possession", "routes[].require.possession", "none of the proofs that the route lists holds"),
        ("policy.route", "routes", "the route is not for that path"),
        (
            "policy.scope", "RFC 6750 §3.1",
            "no grant of the token covers what the route asks for (routes[].require.scope)"
        ),
        ("policy.sponsor", "routes[].require.sponsor", "the token names no human who answers for the agent"),
        (
            "policy.step-up", "RFC 9470 §3",
            "the human was not authenticated as the route asks for (acr), or too long ago (max_age)"
        ),
        ("policy.upgrade", "routes[].upgrades", "the route lets no connection be upgraded to that protocol"),
        ("policy.workload-issuer", "routes[].require.issuers", "the route takes no workload tokens of that issuer"),
        ("replay.before-start", "possession.replay", "the proof was made before the gateway remembers"),
        ("replay.full", "possession.replay.capacity", "no more proofs can be remembered"),
        ("replay.share", "possession.replay.capacity", "no more proofs of that key can be remembered"),
        ("replay.used", "RFC 9449 §11.1", "the proof was used before"),
        ("forward.txn-token", "routes[].forward.txn_token", "no transaction token could be made for the upstream"),
    ]
}
