public import Bytes
public import Identity
public import Tokens

/// Evidence that nothing of a request's credentials was revoked.
///
/// Only ``RevocationSnapshot`` can make it.
public struct Unrevoked: ~Copyable {
    fileprivate init() {}
}

/// Evidence that a client, of whom nothing but its certificate is known, was not revoked.
///
/// Only ``RevocationSnapshot`` can make it; it says nothing of any token.
public struct UnrevokedPeer: ~Copyable {
    /// The client.
    public let peer: VerifiedPeer

    fileprivate init(peer: VerifiedPeer) {
        self.peer = peer
    }
}

/// All that is known of revocations at one time: immutable, published whole.
public struct RevocationSnapshot: Sendable {
    /// What is revoked.
    public let set: RevocationSet
    /// What issuers say of their tokens.
    public let statusLists: StatusListTable
    /// Until when each feed may be believed to have told all.
    public let freshness: [FeedFreshness]
    /// Whether there is nothing to check: then a check costs nothing.
    public let isEmpty: Bool

    /// Nothing is revoked, and no feed is listened to.
    public static let empty = RevocationSnapshot(set: RevocationSet())

    /// Makes a snapshot.
    ///
    /// - Parameters:
    ///   - set: what is revoked.
    ///   - statusLists: what issuers say of their tokens.
    ///   - freshness: how long each feed may be believed to have told all.
    public init(set: RevocationSet, statusLists: StatusListTable = .none, freshness: [FeedFreshness] = []) {
        self.set = set
        self.statusLists = statusLists
        self.freshness = freshness
        isEmpty = set.isEmpty && statusLists.isEmpty && !freshness.contains(where: \.deniesWhenStale)
    }

    /// The same with another set.
    public func with(set: RevocationSet) -> RevocationSnapshot {
        RevocationSnapshot(set: set, statusLists: statusLists, freshness: freshness)
    }

    /// The same with other status lists.
    public func with(statusLists: StatusListTable) -> RevocationSnapshot {
        RevocationSnapshot(set: set, statusLists: statusLists, freshness: freshness)
    }

    /// The same with other feeds, or with what has been heard of them since.
    public func with(freshness: [FeedFreshness]) -> RevocationSnapshot {
        RevocationSnapshot(set: set, statusLists: statusLists, freshness: freshness)
    }

    /// Checks all that a request shows: a probe for each name of the token and of the client, none where nothing is revoked.
    ///
    /// What is known to be revoked is refused as such, even where a feed is stale. Staleness is compared with `now` here, so
    /// that it is noticed though nobody publishes anything any more.
    public func check(
        token: borrowing VerifiedToken, peer: VerifiedPeer?, now: UnixTime
    ) throws(RevokedCredential) -> Unrevoked {
        if !isEmpty { try check(token.claims, peer: peer?.revocationNames ?? [], now: now) }
        return Unrevoked()
    }

    /// Checks the client of a connection that carries no tokens: its certificate, its key and the agent that it is.
    public func check(peer: VerifiedPeer, now: UnixTime) throws(RevokedCredential) -> UnrevokedPeer {
        if !isEmpty {
            if let level = hit(peer.revocationNames) { throw RevokedCredential(level) }
            try checkFreshness(now)
        }
        return UnrevokedPeer(peer: peer)
    }

    /// The level at which any of the names is revoked; nothing: none of them is.
    ///
    /// It is for what lives already, a connection or a call, and mints no evidence.
    public func hit(_ names: [RevocationName]) -> RevocationLevel? {
        guard !set.isEmpty else { return nil }
        if set.contains(.everything) { return .everything }
        for name in names where set.contains(name.key) { return name.level }
        return nil
    }

    /// Why a call that was let through must go on no longer; nothing: nothing is known against its token.
    ///
    /// Staleness and lists that are not known end nothing that lives: they refuse what comes.
    public func objection(to claims: TokenClaims, now: UnixTime) -> RevokedCredential? {
        if let level = hit(claims.revocationNames) { return RevokedCredential(level) }
        do throws(RevokedCredential) { try checkStatus(claims, now) } catch {
            return error.isUnavailability ? nil : error
        }
        return nil
    }

    /// The same on plain values: the claims and the names of the client.
    func check(_ claims: TokenClaims, peer names: [RevocationName], now: UnixTime) throws(RevokedCredential) {
        if let level = hit(claims.revocationNames) ?? hit(names) { throw RevokedCredential(level) }
        try checkFreshness(now)
        try checkStatus(claims, now)
    }

    private func checkStatus(_ claims: TokenClaims, _ now: UnixTime) throws(RevokedCredential) {
        guard !statusLists.isEmpty, let reference = claims.statusReference else { return }
        switch statusLists.status(of: reference, issuer: claims.issuer, now: now) {
        case .valid, .notListed: return
        case .status(let status): throw .status(status)
        case .unknown(let uri): throw .statusUnknown(uri: uri)
        case .stale(let feed): throw .stale(feed: feed)
        case .outOfRange, .foreign: throw .statusInvalid
        }
    }

    private func checkFreshness(_ now: UnixTime) throws(RevokedCredential) {
        for feed in freshness where feed.deniesWhenStale && feed.isStale(at: now) { throw .stale(feed: feed.name) }
    }
}
