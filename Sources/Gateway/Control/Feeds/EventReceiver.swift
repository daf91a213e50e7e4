public import Bytes
public import Cryptography
public import Revocation
import Tokens

/// Why a delivery is refused (RFC 8935 §2.3).
public struct PushRefusal: Error, Equatable, Sendable {
    /// The status of the answer.
    public let status: Int
    /// What RFC 8935 §2.4 calls it.
    public let code: String
    /// One phrase for people.
    public let description: String

    /// Makes a refusal.
    public init(status: Int = 400, code: String, description: String) {
        self.status = status
        self.code = code
        self.description = description
    }
}

/// Takes in what one transmitter delivers (RFC 8935).
public struct EventReceiver: Sendable {
    /// The tokens and what is known of the feed.
    public private(set) var intake: EventIntake
    /// Where it is delivered.
    public private(set) var endpoint: PushEndpoint
    /// What waits to become durable, by the number of its batch.
    private var unsettled: [UInt64: EventReading] = [:]

    /// The most bytes of a delivery.
    public static let maximumLength = 64 << 10

    /// Makes one that has received nothing.
    public init(feed: String, endpoint: PushEndpoint, now: MonotonicTime) {
        intake = EventIntake(feed: feed, audience: endpoint.audience, staleness: endpoint.heartbeat, now: now)
        self.endpoint = endpoint
    }

    /// Takes in a delivery.
    ///
    /// - Parameters:
    ///   - body: the token.
    ///   - authorization: the value of the field `Authorization`; nothing where there is none.
    ///   - terms: how tokens are judged.
    ///   - engine: the thread's.
    ///   - now: the present.
    public mutating func receive(
        _ body: Span<UInt8>, authorization: String?, by terms: EventTerms, engine: CryptographicEngine,
        now: FeedMoment
    ) throws(PushRefusal) -> EventReading {
        if let expected = endpoint.authorization {
            guard let authorization, expected.bytes.span.equalsInConstantTime(authorization.utf8.span) else {
                intake.failed("a delivery did not bear the authorization that is expected")
                throw PushRefusal(
                    status: 401, code: "authentication_failed", description: "the authorization is missing or wrong")
            }
        }
        guard body.count <= Self.maximumLength else {
            intake.failed("a delivery was too large")
            throw PushRefusal(code: "invalid_request", description: "the token is too large")
        }
        do throws(SecurityEventFault) {
            let reading = try intake.read(body, by: terms, engine: engine, now: now)
            intake.heard(reading, at: now)
            if reading.revocations.isEmpty { intake.settle(reading) }
            return reading
        } catch {
            intake.failed("a delivery is refused: \(error)")
            throw PushRefusal(code: error.code, description: error.description)
        }
    }

    /// Notes that what a token takes back is being made durable, as the batch of that number.
    public mutating func awaits(_ batch: UInt64, for reading: EventReading) {
        unsettled[batch] = reading
    }

    /// A batch is durable and enforced.
    public mutating func settled(_ batch: UInt64) {
        guard let reading = unsettled.removeValue(forKey: batch) else { return }
        intake.settle(reading)
    }

    /// A batch could not be made durable: the token is read again when it is delivered again.
    public mutating func abandoned(_ batch: UInt64) {
        guard unsettled.removeValue(forKey: batch) != nil else { return }
        intake.failed("what it takes back could not be made durable")
    }

    /// Takes the settings of a new configuration over.
    public mutating func adopt(_ endpoint: PushEndpoint) {
        self.endpoint = endpoint
        intake.adopt(staleness: endpoint.heartbeat)
    }

    /// What has changed for operators since the last call: each change is told once.
    public mutating func change(at now: MonotonicTime) -> FeedClock.Change? { intake.change(at: now) }
}
