/// A way to prove that a token is one's own.
public enum PossessionMethod: String, CaseIterable, Sendable {
    /// The token names the certificate that authenticated the connection (RFC 8705).
    case certificate
    /// The request carries a DPoP proof by the key that the token names (RFC 9449).
    case dpop
    /// The request carries a Workload Proof Token by the key that the token names.
    case wpt
    /// The token's subject is the SPIFFE ID of the certificate that authenticated the connection.
    case svid
}

/// Some of the ways, such as those that hold for a request.
public struct PossessionMethods: OptionSet, Hashable, Sendable {
    /// One bit a method.
    public let rawValue: UInt8

    /// Makes the set of the bits' methods.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Makes the set of some methods.
    public init(_ methods: Set<PossessionMethod>) {
        self = methods.reduce(into: []) { $0.formUnion(Self.bit(of: $1)) }
    }

    /// Only ``PossessionMethod/certificate``.
    public static let certificate = PossessionMethods(rawValue: 1)
    /// Only ``PossessionMethod/dpop``.
    public static let dpop = PossessionMethods(rawValue: 2)
    /// Only ``PossessionMethod/wpt``.
    public static let wpt = PossessionMethods(rawValue: 4)
    /// Only ``PossessionMethod/svid``.
    public static let svid = PossessionMethods(rawValue: 8)

    /// The methods one by one, in their order.
    public var methods: [PossessionMethod] { PossessionMethod.allCases.filter { contains(Self.bit(of: $0)) } }

    /// Their names, separated by commas, as the audit record shows them.
    public var text: StaticString { Self.texts[Int(rawValue & 15)] }

    /// The text of each set, by its raw value: made here, since the record of every call holds one.
    private static let texts: [StaticString] = [
        "", "certificate", "dpop", "certificate,dpop",
        "wpt", "certificate,wpt", "dpop,wpt", "certificate,dpop,wpt",
        "svid", "certificate,svid", "dpop,svid", "certificate,dpop,svid",
        "wpt,svid", "certificate,wpt,svid", "dpop,wpt,svid", "certificate,dpop,wpt,svid",
    ]

    private static func bit(of method: PossessionMethod) -> PossessionMethods {
        switch method {
        case .certificate: .certificate
        case .dpop: .dpop
        case .wpt: .wpt
        case .svid: .svid
        }
    }
}
