public import Bytes
import Cryptography
public import Revocation
import Tokens

/// How revocations are kept, and where the gateway hears of them beside its own operator.
public struct RevocationConfiguration: Sendable {
    /// The file of the store, as the process can open it.
    public var storePath: String
    /// Who tells of revocations, in the order of the file.
    public var feeds: [FeedConfiguration]
}

/// One source that tells of revocations.
public struct FeedConfiguration: Sendable {
    /// The name in logs, records and revocations.
    public var name: String
    /// How it is heard.
    public var kind: Kind
    /// Who signs what it brings (`iss`); of status lists also the issuer whose tokens are looked up in them.
    public var issuer: String
    /// The keys that it is verified with.
    public var keys: FeedKeys
    /// How old what it has told may become.
    public var maximumStaleness: Interval
    /// Whether calls are refused while it is older.
    public var deniesWhenStale: Bool

    /// How a feed is heard.
    public enum Kind: Equatable, Sendable {
        /// Its status lists are fetched (Token Status List).
        case statusList(StatusListLocation)
        /// It delivers security events (RFC 8935).
        case push(PushEndpoint)
        /// It is asked for security events (RFC 8936).
        case poll(PollEndpoint)

        /// What the configuration calls it.
        public var name: String {
            switch self {
            case .statusList: "status_list"
            case .push: "set_push"
            case .poll: "set_poll"
            }
        }
    }
}

extension GatewayConfiguration {
    /// How long revocations last here whose makers do not say.
    public var revocationTerms: RevocationTerms {
        let lifetimes = issuers.map { issuer in
            (
                issuer.issuer,
                Interval(
                    nanoseconds: issuer.maximumTokenLifetime.nanoseconds + 2 * issuer.clockLeeway.nanoseconds)
            )
        }
        let ends = listeners.flatMap(\.trustDomains).flatMap(\.bundle).map(\.facts.notAfter)
        return RevocationTerms(
            tokenLifetimes: Dictionary(lifetimes) { max($0, $1) }, lastAuthorityEnd: ends.max())
    }
}
