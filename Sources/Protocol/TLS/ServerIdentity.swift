public import Cryptography

/// What a server's certificate must say of it, beside a valid path to the anchors.
public enum ServerIdentity: Sendable {
    /// This DNS name or IP address is among the alternative names (RFC 9525); an IPv6 address without brackets.
    case host(String)
    /// What a higher floor demands; names of hosts are not looked at.
    case judged(by: any ServerCertificatePolicy)
}

/// The judgement of a higher floor: whether a server is one that we mean to speak with.
public protocol ServerCertificatePolicy: AnyObject, Sendable {
    /// Throws where `leaf`, whose path is valid, is not of a server that is expected.
    func admit(_ leaf: CertificateFacts) throws(CertificateRefusal)
}
