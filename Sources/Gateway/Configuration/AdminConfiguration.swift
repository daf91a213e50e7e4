public import Cryptography
public import Policy
public import TLS

/// Where operators administer the gateway, and who they are: there is no way to that without authentication.
public enum AdminConfiguration: Sendable {
    /// A Unix socket: whoever may open it is an operator.
    ///
    /// - path: where it is made.
    /// - mode: its permission bits, at most 0660: the owner's, and possibly the group's.
    case unix(path: String, mode: UInt32)
    /// A TCP port, over TLS 1.3 with certificates on both sides.
    case tcp(host: String, port: UInt16, AdminTLS)

    /// The address, as it is configured.
    public var address: ListenAddress {
        switch self {
        case .unix(let path, _): .unix(path: path)
        case .tcp(let host, let port, _): .ip(host: host, port: port)
        }
    }
}

/// What the admin server presents, and whom it lets in.
public struct AdminTLS: Sendable {
    /// What the server presents.
    public var certificate: ServerCertificate
    /// The trust domain of the operators.
    public var trustDomain: String
    /// The authorities that alone may vouch for them; at least one.
    public var bundle: [Certificate]
    /// Whose certificates may administer; at least one.
    public var allowed: [AgentPattern]

    /// Makes settings of their parts.
    public init(
        certificate: ServerCertificate, trustDomain: String, bundle: [Certificate], allowed: [AgentPattern]
    ) {
        self.certificate = certificate
        self.trustDomain = trustDomain
        self.bundle = bundle
        self.allowed = allowed
    }
}
