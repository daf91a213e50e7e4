import Identity

/// What a new snapshot of revocations means for what lives.
enum RevocationChange {
    /// Nothing: a feed was heard, or something has expired.
    case nothingLiving
    /// Tokens in use may have another status.
    case statusLists
    /// That was revoked, or taken back.
    case orders([Order])

    /// Something that was revoked, or taken back, at one time.
    struct Order {
        /// What it is found by; none where it was taken back.
        let keys: Set<RevocationKey>
        /// Told when every worker enforces it.
        let enforced: (Enforcement) -> Void
    }
}
