import JSON
import Synchronization

/// All issuers that are believed at one time: an immutable snapshot.
public final class IssuerTable: Sendable {
    /// The issuers, in the order of the configuration; of two of one name only the first is found.
    public let issuers: [TokenIssuer]
    /// A number that no other table of this process bears: what was verified by another table is verified anew.
    public let generation: UInt64

    /// The places of the issuers that must be asked about their tokens.
    let introspecting: [Int]
    /// The issuers of workloads' tokens.
    private let vouchers: [Voucher]

    /// Who may vouch for workloads, and for which.
    private struct Voucher {
        let place: Int
        let issuer: String
        let trustDomains: [String]?
    }

    private static let tables = Atomic<UInt64>(0)

    /// Makes a table.
    public init(_ issuers: [TokenIssuer]) {
        self.issuers = issuers
        introspecting = issuers.indices.filter {
            if case .introspection = issuers[$0].keySource { true } else { false }
        }
        vouchers = issuers.indices.filter { issuers[$0].profile.isWorkload }
            .map { Voucher(place: $0, issuer: issuers[$0].issuer, trustDomains: issuers[$0].trustDomains) }
        generation = Self.tables.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// The index of the issuer that `claim` names exactly.
    func index(of claim: JSONValue) -> Int? {
        for index in issuers.indices where claim.equals(utf8: issuers[index].issuer) { return index }
        return nil
    }

    /// The place of the one issuer that may have issued a token about a workload of that trust domain.
    ///
    /// `iss` never leads to keys: it only chooses among those that the configuration allows for the trust domain of `sub`.
    ///
    /// - Parameters:
    ///   - trustDomain: of the token's subject.
    ///   - listenerTrustDomains: those of an issuer without a list of its own; nothing: any.
    ///   - isNamed: whether the token's `iss`, if it has one, is that name.
    func workloadIssuer(
        of trustDomain: String, within listenerTrustDomains: [String]?, _ isNamed: (String) -> Bool
    ) throws(TokenRejection) -> Int {
        var found: Int?
        var isTrusted = false
        for voucher in vouchers {
            if let trustDomains = voucher.trustDomains ?? listenerTrustDomains {
                guard trustDomains.contains(trustDomain) else { continue }
            }
            isTrusted = true
            guard isNamed(voucher.issuer) else { continue }
            guard found == nil else { throw .issuerAmbiguous }
            found = voucher.place
        }
        guard let found else { throw isTrusted ? .issuer : .trustDomain }
        return found
    }
}
