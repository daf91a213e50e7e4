import Audit
import Glibc

/// Reads the section `audit`.
enum AuditSection {
    private static let keys = ["directory", "durability", "when_full", "signing_key_file", "checkpoint_interval"]

    static func read(_ reader: DocumentReader?, context: LoadContext) -> AuditConfiguration? {
        guard let section = reader?.section(keys) else { return nil }
        let directory = readDirectory(section.required("directory", "the directory of the log"), context)
        let durability =
            section.optional("durability").map { reader in
                reader.value(expected: "batched or synced") { AuditDurability(rawValue: $0) }
            } ?? .batched
        let whenFull = section.optional("when_full").map { $0.choice(FullAuditQueue.self) } ?? .deny
        guard let directory, let durability, let whenFull else { return nil }
        return AuditConfiguration(directory: directory, durability: durability, whenFull: whenFull)
    }

    /// The directory; it is made when the gateway starts, but something else may not stand in its place.
    private static func readDirectory(_ reader: DocumentReader?, _ context: LoadContext) -> String? {
        guard let reader, let path = reader.text() else { return nil }
        let resolved = context.place.resolve(path)
        var status = stat()
        if unsafe stat(resolved, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
            reader.refuse("\(resolved) is not a directory; name one, or a path where one can be made")
            return nil
        }
        return resolved
    }
}
