public import Bytes
public import Identity

/// How long a revocation lasts whose maker does not say: as long as anything that it takes back can live.
public struct RevocationTerms: Equatable, Sendable {
    /// What is revoked but single tokens stays so for a year at least.
    private static let shortest = Interval.seconds(366 * 24 * 3600)

    private let tokenLifetimes: [String: Interval]
    private let longestTokenLifetime: Interval
    private let lastAuthorityEnd: UnixTime

    /// Terms of nothing: what is revoked by them lasts for ever.
    public static let unlimited = RevocationTerms(tokenLifetimes: [:], lastAuthorityEnd: nil)

    /// Makes terms.
    ///
    /// - Parameters:
    ///   - tokenLifetimes: how long the tokens of each issuer can live, leeway included.
    ///   - lastAuthorityEnd: when the last authority of clients expires; nothing: never.
    public init(tokenLifetimes: [String: Interval], lastAuthorityEnd: UnixTime?) {
        self.tokenLifetimes = tokenLifetimes
        longestTokenLifetime = tokenLifetimes.values.max() ?? Interval(nanoseconds: .max)
        self.lastAuthorityEnd = lastAuthorityEnd ?? UnixTime(nanoseconds: .max)
    }

    /// When a revocation that is made now ends.
    ///
    /// - Parameters:
    ///   - level: what is revoked.
    ///   - issuer: the issuer of a token.
    ///   - now: the time.
    public func expiry(of level: RevocationLevel, issuer: String?, now: UnixTime) -> UnixTime {
        switch level {
        case .token: break
        // Whoever closes everything opens it again.
        case .everything: return UnixTime(nanoseconds: .max)
        // Names, tasks and keys outlive the authorities and tokens of the day, which are renewed all the time.
        case .agent, .task, .chain, .certificate, .key:
            return max(lastAuthorityEnd, now + longestTokenLifetime, now + Self.shortest)
        }
        return now + (issuer.flatMap { tokenLifetimes[$0] } ?? longestTokenLifetime)
    }
}
