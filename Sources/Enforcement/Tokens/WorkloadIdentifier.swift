import Bytes
import Identity

/// The name of a workload, as a Workload Identity Token bears it: `spiffe://…` or `wimse://…`.
///
/// Both are read by the grammar of a SPIFFE ID, so that a name has one spelling whatever its scheme; the name of a trust domain
/// itself is none of a workload.
struct WorkloadIdentifier: Equatable {
    /// The trust domain, which says whose keys may vouch for the name; lower case.
    let trustDomain: String

    init?(_ text: String) {
        let foreign = "wimse://"
        let name = text.utf8.starts(with: foreign.utf8) ? "spiffe://" + text.dropFirst(foreign.count) : text
        guard let identifier = try? SPIFFEID(name.utf8.span), !identifier.path.isEmpty else { return nil }
        trustDomain = identifier.trustDomain
    }
}
