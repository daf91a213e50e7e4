/// What a key may be used for, as its certificate says (RFC 5280 §4.2.1.3).
public struct KeyUsage: Equatable, Sendable {
    /// The named bits; bit n of the extension is bit n here.
    public struct Purposes: OptionSet, Sendable {
        /// The bits.
        public let rawValue: UInt16

        /// Makes a set of the bits.
        public init(rawValue: UInt16) {
            self.rawValue = rawValue
        }

        /// Signatures other than on certificates and CRLs.
        public static let digitalSignature = Purposes(rawValue: 1 << 0)
        /// Signatures that cannot be denied later; also called contentCommitment.
        public static let nonRepudiation = Purposes(rawValue: 1 << 1)
        /// Encryption of keys.
        public static let keyEncipherment = Purposes(rawValue: 1 << 2)
        /// Encryption of data.
        public static let dataEncipherment = Purposes(rawValue: 1 << 3)
        /// Key agreement.
        public static let keyAgreement = Purposes(rawValue: 1 << 4)
        /// Signatures on certificates.
        public static let keyCertSign = Purposes(rawValue: 1 << 5)
        /// Signatures on revocation lists.
        public static let crlSign = Purposes(rawValue: 1 << 6)
        /// With key agreement: only to encrypt.
        public static let encipherOnly = Purposes(rawValue: 1 << 7)
        /// With key agreement: only to decrypt.
        public static let decipherOnly = Purposes(rawValue: 1 << 8)
    }

    /// What the key may be used for.
    public var purposes: Purposes
    /// Whether the extension is marked critical.
    public var isCritical: Bool

    /// Makes the usage.
    public init(_ purposes: Purposes, isCritical: Bool = true) {
        self.purposes = purposes
        self.isCritical = isCritical
    }
}
