import Identity
import Reactor

/// Who administers: what a record of an admin act names.
enum AdminActor: Equatable, Sendable {
    /// A process of this machine, over the Unix socket, as the kernel knows it.
    case process(PeerCredentials)
    /// The holder of a certificate, over TLS.
    case workload(SPIFFEID)

    /// `unix:uid=0,pid=123`, or the SPIFFE ID.
    var text: String {
        switch self {
        case .process(let process): "unix:uid=\(process.userID),pid=\(process.processID)"
        case .workload(let identifier): identifier.text
        }
    }
}
