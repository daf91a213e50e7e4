/// Why revocations cannot be kept, or not be read.
public struct RevocationStoreError: Error, Equatable, Sendable {
    /// What is wrong.
    public enum Kind: Equatable, Sendable {
        /// Another process has the store.
        case busy
        /// What is there is not what was written.
        case damaged
        /// An operation of the file system or of the library failed.
        case failed
        /// The file is something else.
        case foreign
        /// A later version of Sallyport made the store.
        case laterVersion
        /// The mark says that there was a store.
        case missing
        /// The mark cannot be read.
        case markDamaged
        /// The mark says that more has been revoked than the store holds.
        case older
        /// The mark is that of another store.
        case other
    }

    /// What is wrong.
    public let kind: Kind
    /// The store.
    public let path: String
    /// The mark of the store.
    public let markPath: String
    /// More about it, for those who want to know; may be empty.
    public let detail: String

    /// One sentence for the operator that says what to do.
    public var sentence: String {
        let sentence =
            switch kind {
            case .busy: "the revocation store \(path) is used by another process: stop it, or give each its own store"
            case .damaged:
                "the revocation store \(path) is damaged: restore it from a backup, or, to begin with nothing revoked, move it "
                    + "and its -wal file away and delete \(markPath)"
            case .failed: "the revocation store \(path) cannot be used: see to its directory, its disk and its owner"
            case .foreign: "\(path) is no revocation store: name another file in revocation.store.path"
            case .laterVersion: "the revocation store \(path) was made by a later version: run that one"
            case .missing:
                "the revocation store \(path) is missing, though \(markPath) says that there was one: restore it from a backup, "
                    + "or delete \(markPath) to begin with nothing revoked"
            case .markDamaged:
                "\(markPath), which says what revocation store there is, cannot be read: delete it if \(path) is the store that "
                    + "was used last"
            case .older:
                "the revocation store \(path) lacks revocations that were in force: restore a later backup with its -wal file, "
                    + "or delete \(markPath) to go on without them"
            case .other:
                "the revocation store \(path) is not the one that was used last: name that one in revocation.store.path, or "
                    + "delete \(markPath) to go on with this one"
            }
        return detail.isEmpty ? sentence : "\(sentence) (\(detail))"
    }
}

extension RevocationStoreError: CustomStringConvertible {
    /// The sentence for the operator.
    public var description: String { sentence }
}
