import Bytes
public import Configuration
import HTTP
import Identity
import TLS

/// What one listener demands of the requests that come to it.
public final class ListenerRules: Sendable {
    /// The listener's name, for records.
    public let name: String
    /// The trust domains whose members a token may name as its subject, unless its issuer says otherwise; nothing: any.
    public let subjectTrustDomains: [String]?

    private let origins: [Origin]
    /// For each origin, which of the listener's certificates name its host.
    private let coverage: [[Bool]]

    /// Prepares the rules of a listener.
    public init(_ listener: ListenerConfiguration) {
        name = listener.name
        origins = listener.origins
        coverage = listener.origins.map { origin in listener.certificates.map { $0.covers(host: origin.bareHost) } }
        // Under `any` a trust domain's name is only a label, so it cannot bound whom a token may name.
        subjectTrustDomains = listener.identity == .spiffe ? listener.trustDomains.map(\.name) : nil
    }

    /// Checks that the authority is one of ours and that the certificate which the client was shown speaks for it.
    ///
    /// A client that was shown another name's certificate has another listener's guarantees in mind (RFC 9110 §7.4).
    ///
    /// - Parameters:
    ///   - authority: `host` or `host:port` as it came.
    ///   - serverName: what the client asked for in SNI.
    ///   - certificate: which certificate it was shown.
    public func admits(authority: Span<UInt8>, serverName: String?, certificate: Int) -> Bool {
        for index in origins.indices where origins[index].matches(authority: authority) {
            let coverage = coverage[index]
            if coverage.count == 1 {
                guard let serverName else { return true }
                if Authority.agree(serverName.utf8.span, origins[index].host.utf8.span) { return true }
            }
            return coverage.indices.contains(certificate) && coverage[certificate]
        }
        return false
    }
}
