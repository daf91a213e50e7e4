public import Bytes
public import Cryptography
public import Revocation

/// What one security event token has brought.
public struct EventReading: Equatable, Sendable {
    /// The token's identifier.
    public let tokenID: String
    /// When it was issued.
    public let issuedAt: UnixTime
    /// What it takes back; nothing where that is settled already.
    public let revocations: [Revocation]
    /// What the operator should know of it: events that say nothing to us, and why.
    public let notes: [String]
    /// Whether the token was settled before.
    public let isRepeated: Bool
}

/// How tokens of a feed are judged: by whose keys, and how long what they take back is kept.
public struct EventTerms: Sendable {
    /// Who must have signed.
    public let signer: FeedSigner
    /// How long revocations last.
    public let lifetimes: RevocationTerms

    /// Puts both together.
    public init(signer: FeedSigner, lifetimes: RevocationTerms) {
        self.signer = signer
        self.lifetimes = lifetimes
    }
}

/// Takes in the security event tokens of one feed, however they come: verifies them, reads them as revocations, and knows those
/// that are settled.
public struct EventIntake: Sendable {
    /// The feed's name.
    public let feed: String
    /// What `aud` must name.
    public let audience: String
    /// When the feed was heard.
    public private(set) var clock: FeedClock
    /// Why the last attempt failed; nothing where it did not.
    public private(set) var lastFailure: String?
    /// How many things it has taken back since the start.
    public private(set) var count = 0
    /// When the event was issued that changed the stream last: an older one changes nothing any more.
    private var streamChangedAt: UnixTime?
    private var seen = SeenTokens()

    /// Starts without having heard anything.
    public init(feed: String, audience: String, staleness: Interval?, now: MonotonicTime) {
        self.feed = feed
        self.audience = audience
        clock = FeedClock(staleness: staleness, now: now)
    }

    /// Reads a token, but settles nothing: see ``settle(_:)``.
    public mutating func read(
        _ compact: Span<UInt8>, by terms: EventTerms, engine: CryptographicEngine, now: FeedMoment
    ) throws(SecurityEventFault) -> EventReading {
        let token = try SecurityEventToken.verify(
            compact, by: terms.signer, audience: audience, engine: engine, now: now.civil)
        guard !seen.contains(token.tokenID) else {
            return EventReading(
                tokenID: token.tokenID, issuedAt: token.issuedAt, revocations: [], notes: [], isRepeated: true)
        }
        var revocations: [Revocation] = []
        var notes: [String] = []
        var goesOn: Bool?
        for event in token.events {
            switch event {
            case .verification: break
            case .ignored(let reason): notes.append(reason)
            case .stream(let isEnabled):
                if let streamChangedAt, token.issuedAt < streamChangedAt {
                    notes.append("what it says of its stream is older than what is known")
                } else {
                    goesOn = isEnabled && goesOn != false
                    notes.append(isEnabled ? "the transmitter goes on" : "the transmitter interrupts its stream")
                }
            case .revocation(let targets, let reason):
                for target in targets {
                    revocations.append(try revocation(of: target, reason: reason, by: terms, now: now.civil))
                }
            }
        }
        if let goesOn {
            clock.interrupt(!goesOn)
            streamChangedAt = token.issuedAt
        }
        return EventReading(
            tokenID: token.tokenID, issuedAt: token.issuedAt, revocations: revocations, notes: notes,
            isRepeated: false)
    }

    private func revocation(
        of target: SignalTarget, reason: String, by terms: EventTerms, now: UnixTime
    ) throws(SecurityEventFault) -> Revocation {
        do throws(RevocationFault) {
            return try Revocation(
                level: target.level, value: target.value, issuer: target.issuer, reason: reason,
                source: "feed:\(feed)", by: terms.signer.issuer, createdAt: now,
                expiresAt: terms.lifetimes.expiry(of: target.level, issuer: target.issuer, now: now))
        } catch {
            throw .subject(error.sentence)
        }
    }

    /// What a token has told is durable and enforced: it will not be read again.
    public mutating func settle(_ reading: EventReading) {
        guard !reading.isRepeated else { return }
        seen.insert(reading.tokenID)
        count += reading.revocations.count
    }

    /// The feed was heard, and what it said was in order.
    public mutating func heard(at now: FeedMoment) {
        clock.heard(at: now)
        lastFailure = nil
    }

    /// A token was delivered, by whomever: it shows that its transmitter was there when it was issued, and no later.
    ///
    /// One that was settled before shows nothing, and neither does one that was issued longer ago than the feed may be silent.
    public mutating func heard(_ reading: EventReading, at now: FeedMoment) {
        guard !reading.isRepeated else { return }
        let silence = max(.zero, now.civil - (reading.issuedAt + SecurityEventToken.clockLeeway))
        if let staleness = clock.staleness, silence >= staleness {
            return failed("an event was issued too long ago to be a sign of life")
        }
        heard(
            at: FeedMoment(
                monotonic: now.monotonic + Interval(nanoseconds: -silence.nanoseconds),
                civil: now.civil + Interval(nanoseconds: -silence.nanoseconds)))
    }

    /// Something of the feed was not in order.
    public mutating func failed(_ reason: String) {
        lastFailure = reason
    }

    /// Takes another limit over.
    public mutating func adopt(staleness: Interval?) {
        clock.adopt(staleness: staleness)
    }

    /// What has changed for operators since the last call: each change is told once.
    public mutating func change(at now: MonotonicTime) -> FeedClock.Change? { clock.change(at: now) }

    /// How the feed is doing.
    public func status(type: String, at now: MonotonicTime) -> FeedStatus {
        FeedStatus(
            name: feed, type: type, age: clock.age(at: now), isStale: clock.isStale(at: now),
            lastFailure: lastFailure, entries: count)
    }
}
