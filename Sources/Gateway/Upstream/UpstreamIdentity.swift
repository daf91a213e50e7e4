import Bytes
public import Configuration
public import Cryptography
public import TLS

/// The SHA-256 of an upstream's name, what it speaks, one of its targets, and all that its TLS connections are judged by.
///
/// A reload that changes any of that makes another identity, so that no connection from before serves a call after it.
public struct UpstreamIdentity: Hashable, Sendable {
    private let digest: Digest256

    /// Computes the identity of `target` of `upstream`.
    ///
    /// - Throws: what ``UpstreamTLS/digest()`` does.
    public init(
        _ upstream: UpstreamConfiguration, target: UpstreamTarget, engine: CryptographicEngine
    ) throws(TLSError) {
        var bytes = ByteQueue()
        // Each text has its length before it: no two settings have the same bytes.
        for text in [upstream.name, upstream.speaks.rawValue, target.description] {
            bytes.append(decimal: text.utf8.count)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(utf8: text)
        }
        bytes.append(upstream.sendsProxyHeader ? 1 : 0)
        if let digest = try upstream.tls?.digest().bytes { bytes.append(digest.span) }
        digest = bytes.withReadable { engine.sha256($0) }
    }
}
