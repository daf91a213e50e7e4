public import Bytes
import COpenSSL
import Synchronization

/// A revocation list (RFC 5280 §5) that was read and understood; whether its issuer signed it is asked of ``isSigned(by:)``.
///
/// It keeps 16 bytes for each entry, which is less than half of what the file has for it, and nothing of the file.
public final class CertificateRevocationList: Sendable {
    /// Which of its issuer's certificates a list is about.
    public enum Coverage: Equatable, Sendable {
        /// All of them.
        case everything
        /// Those that are no authorities.
        case endEntities
        /// Those that are authorities.
        case authorities
    }

    /// What tells the lists of one issuer, key and scope from each other.
    public struct Edition: Equatable, Sendable {
        let number: [UInt8]?
        let thisUpdate: UnixTime

        /// Whether `other` was published after this one, as far as number and time tell.
        ///
        /// Two with the same are not older than each other.
        public func isOlder(than other: Edition) -> Bool {
            if let number, let later = other.number, number != later {
                return number.count == later.count
                    ? number.lexicographicallyPrecedes(later) : number.count < later.count
            }
            return thisUpdate < other.thisUpdate
        }
    }

    /// The issuer's name in the one-line form of RFC 2253.
    public let issuer: String
    /// The list's number, big-endian without leading zeros (RFC 5280 §5.2.3); each later list of an issuer has a higher one.
    public let number: [UInt8]?
    /// When it was issued.
    public let thisUpdate: UnixTime
    /// The last moment at which it can be relied upon; a date beyond the year 2262 is held there.
    public let nextUpdate: UnixTime
    /// Which key of the issuer's it says it was signed with, if it says so.
    public let keyIdentifier: [UInt8]?
    /// Which certificates it is about.
    public let coverage: Coverage
    /// The URIs of the only distribution point whose certificates it is about; none: it is about those of all.
    public let distributionPoints: [[UInt8]]
    /// The SHA-256 of its DER.
    public let digest: Digest256

    private let serialNumbers: SerialNumberSet
    private let signature: RevocationListSignature
    /// Which authorities were found to have signed it, or not: a handshake asks again and again.
    private let signers = Mutex<[Digest256: Bool]>([:])
    private static let maximumSigners = 16

    /// Reads exactly one list in DER: no byte may follow.
    public init(der: Span<UInt8>) throws(RevocationListError) {
        let contents = try RevocationListReader(der).contents()
        issuer = contents.issuer
        number = contents.extensions.number
        thisUpdate = contents.thisUpdate
        nextUpdate = contents.nextUpdate
        keyIdentifier = contents.extensions.keyIdentifier
        coverage = contents.extensions.coverage
        distributionPoints = contents.extensions.distributionPoints
        serialNumbers = contents.serialNumbers
        signature = contents.signature
        digest = SHA256.digest(of: der)
    }

    /// Reads every list of a file: one in DER, or a PEM text with one `X509 CRL` block or several.
    ///
    /// Blocks of other kinds and text between blocks are passed over.
    public static func all(in file: Span<UInt8>) throws(RevocationListError) -> [CertificateRevocationList] {
        // No text begins with the identifier of a sequence, which is the digit zero, and a DER length behind it.
        if file.count > 1, file[0] == DERTag.sequence, file[1] >= 0x80 || file[1] < 0x20 {
            return [try CertificateRevocationList(der: file)]
        }
        let blocks: [PEMBlock]
        do { blocks = try PEMBlock.all(in: file) } catch { throw .malformed }
        var lists: [CertificateRevocationList] = []
        for block in blocks where block.label == "X509 CRL" {
            let der = block.bytes
            lists.append(try CertificateRevocationList(der: der.span))
        }
        guard !lists.isEmpty else { throw .noList }
        return lists
    }

    /// How many certificates it lists.
    public var count: Int { serialNumbers.count }

    /// Whether its time has passed.
    public func isExpired(at now: UnixTime) -> Bool { now > nextUpdate }

    /// What tells it from earlier and later lists.
    public var edition: Edition { Edition(number: number, thisUpdate: thisUpdate) }

    /// Whether it is about a certificate of its issuer: of that kind, and of its distribution point (RFC 5280 §6.3.3).
    public func isAbout(_ certificate: CertificateFacts) -> Bool {
        switch coverage {
        case .everything: break
        case .endEntities: guard !certificate.isCertificateAuthority else { return false }
        case .authorities: guard certificate.isCertificateAuthority else { return false }
        }
        return distributionPoints.isEmpty || distributionPoints.contains { certificate.distributionPoints.contains($0) }
    }

    /// Whether it lists a certificate of its issuer, whatever the reason.
    ///
    /// - Parameter serialNumber: in hexadecimal, as ``CertificateFacts`` has it.
    public func lists(serialNumber: String) -> Bool {
        serialNumbers.contains(serialNumber)
    }

    /// Whether it was signed with the key of `authority`, which may sign lists (RFC 5280 §6.3.3 (f), (g)).
    ///
    /// An authority without key usage may. The answer is kept, so that handshakes do not verify again and again.
    public func isSigned(by authority: Certificate) -> Bool {
        guard authority.facts.keyUsage?.purposes.contains(.crlSign) ?? true else { return false }
        let fingerprint = authority.facts.fingerprint
        if let known = signers.withLock({ $0[fingerprint] }) { return known }
        let isSigner = signature.isMade(by: authority)
        signers.withLock { signers in
            if signers.count >= Self.maximumSigners { signers.removeAll() }
            signers[fingerprint] = isSigner
        }
        return isSigner
    }
}

extension Certificate {
    /// The identifier of its key, if it has one (RFC 5280 §4.2.1.2).
    public var subjectKeyIdentifier: [UInt8]? {
        unsafe withUnsafeHandle { handle in
            guard let identifier = unsafe X509_get0_subject_key_id(handle) else { return nil }
            return unsafe Array(
                UnsafeBufferPointer(
                    start: ASN1_STRING_get0_data(identifier), count: Int(ASN1_STRING_length(identifier))))
        }
    }
}
