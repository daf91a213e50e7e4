public import Bytes
import Cryptography

/// All that must be the same for two connections to be worth the same trust: a list of labelled parts, and its digest.
///
/// A ticket is taken only within the scope that it was made in: listener, certificates, whom it trusts, what it asks.
/// Others had a class of faults here: a ticket of one listener, or from before a change of trust, let a client in at
/// another (CVE-2025-23419 for one). So each part that a decision rests on is added by whoever owns it.
public struct TLSScope: Sendable {
    private var bytes: [UInt8] = []

    /// Makes a scope without parts.
    public init() {}

    /// Adds a part; its length goes before it, so no two lists of parts are alike.
    public mutating func add(_ label: StaticString, _ part: Span<UInt8>) {
        Self.append(UInt64(label.utf8CodeUnitCount), to: &bytes)
        label.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
        Self.append(UInt64(part.count), to: &bytes)
        for index in part.indices { bytes.append(part[index]) }
    }

    /// Adds text.
    public mutating func add(_ label: StaticString, _ text: String) {
        let part = Array(text.utf8)
        add(label, part.span)
    }

    /// Adds a digest, such as a certificate's fingerprint.
    public mutating func add(_ label: StaticString, _ digest: Digest256) {
        let part = digest.bytes
        add(label, part.span)
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }

    /// The SHA-256 of all parts.
    public func digest() throws(TLSError) -> Digest256 {
        do throws(EngineError) {
            return try CryptographicEngine().sha256(bytes.span)
        } catch {
            throw TLSError("the cryptographic library does not work here")
        }
    }
}
