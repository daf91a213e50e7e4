import Bytes
public import Configuration
import HTTP
import Identity
public import Limits
public import Possession
import TLS

/// One of the public origins of a listener, as requests are compared with it.
public final class PublicOrigin: Sendable {
    /// What the URIs of a proof for it must begin with: a list of one.
    public let targets: [TargetOrigin]
    /// Where clients find what they need to know in order to call (RFC 9728 §3).
    public let metadataURL: String

    private let documents: [ServedDocument]

    init(_ origin: Origin, documents: [ServedDocument]) {
        self.documents = documents
        targets = [TargetOrigin("\(origin)")].compactMap(\.self)
        metadataURL = ResourceMetadata.url(of: origin)
    }
}

extension PublicOrigin {
    /// What the gateway itself has at that path, for a method that only reads.
    func document(at path: Span<UInt8>, method: Span<UInt8>) -> ServedDocument? {
        guard method.equals("GET") || method.equals("HEAD") else { return nil }
        // Most requests end here: every document lies under /.well-known/.
        guard path.count > 2, path[1] == UInt8(ascii: ".") else { return nil }
        return documents.first { path.equals(utf8: $0.path) }
    }
}

/// What one listener demands of the requests that come to it.
public final class ListenerRules: Sendable {
    /// The listener's name, for records.
    public let name: String
    /// The trust domains whose members a token may name as its subject, unless its issuer says otherwise; nothing: any.
    public let subjectTrustDomains: [String]?

    /// How much may be asked of it, or nothing.
    public let limits: LimitScope?
    /// Where it takes security events in.
    public let events: [EventEndpoint]
    /// What passes through it.
    public let mode: ListenerMode

    private let origins: [Origin]
    private let publicOrigins: [PublicOrigin]
    /// For each origin, which of the listener's certificates name its host.
    private let coverage: [[Bool]]

    /// Prepares the rules of a listener.
    ///
    /// - Parameters:
    ///   - listener: as configured.
    ///   - documents: what the gateway itself answers, of each origin.
    ///   - events: where it takes security events in.
    public init(
        _ listener: ListenerConfiguration, documents: [Origin: [ServedDocument]] = [:], events: [EventEndpoint] = []
    ) {
        self.events = events
        name = listener.name
        limits = listener.limits
        mode = listener.mode
        origins = listener.origins
        publicOrigins = listener.origins.map { PublicOrigin($0, documents: documents[$0] ?? []) }
        coverage = listener.origins.map { origin in listener.certificates.map { $0.covers(host: origin.bareHost) } }
        // Under `any` a trust domain's name is only a label, so it cannot bound whom a token may name.
        subjectTrustDomains = listener.identity == .spiffe ? listener.trustDomains.map(\.name) : nil
    }

    /// Finds the origin of ours that the authority names, if the certificate which the client was shown speaks for it.
    ///
    /// A client that was shown another name's certificate has another listener's guarantees in mind (RFC 9110 §7.4).
    ///
    /// - Parameters:
    ///   - authority: `host` or `host:port` as it came.
    ///   - serverName: what the client asked for in SNI.
    ///   - certificate: which certificate it was shown.
    public func origin(authority: Span<UInt8>, serverName: String?, certificate: Int) -> PublicOrigin? {
        for index in origins.indices where origins[index].matches(authority: authority) {
            return isShown(index, serverName: serverName, certificate: certificate) ? publicOrigins[index] : nil
        }
        return nil
    }

    private func isShown(_ index: Int, serverName: String?, certificate: Int) -> Bool {
        let coverage = coverage[index]
        if coverage.count == 1 {
            guard let serverName else { return true }
            if Authority.agree(serverName.utf8.span, origins[index].host.utf8.span) { return true }
        }
        return coverage.indices.contains(certificate) && coverage[certificate]
    }
}
