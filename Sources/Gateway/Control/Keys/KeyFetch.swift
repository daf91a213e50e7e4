public import Bytes
public import Tokens

/// A request for an issuer's keys that is to be made now.
public struct KeyFetch: Sendable {
    /// Whose keys they are.
    public let issuer: String
    /// What to ask.
    public let request: OutgoingRequest
    /// A number that no other fetch of the same refresher has.
    public let number: UInt64
}

/// What to do for a call that lacks a key.
public enum KeyAnswer: Sendable {
    /// Make that request; the call waits for its outcome.
    case fetch(KeyFetch)
    /// The key is there by now: judge the token again, with the keys of the refresher.
    case known
    /// Nothing new is to be had at present: what was found without it stands.
    case refused
    /// A fetch is under way: the call waits for its outcome.
    case wait
}

/// What a fetch has brought.
public enum KeyOutcome: Sendable {
    /// Keys that are to be used from now on; a rotation where other keys were known before.
    case changed(KeySet, isRotation: Bool)
    /// Nothing, for that reason; what was there stays, as long as it is not too old.
    case failed(String)
    /// The keys that are known already, or something that nobody waits for any more.
    case unchanged
}

/// How an issuer's keys are doing.
public struct KeySourceStatus: Equatable, Sendable {
    /// Whose keys they are.
    public let issuer: String
    /// How long ago they were last known to be current; nothing where they were never fetched.
    public let age: Interval?
    /// Why the last fetch failed; nothing where it did not.
    public let lastFailure: String?
    /// Whether tokens can be verified.
    public let isUsable: Bool
}
