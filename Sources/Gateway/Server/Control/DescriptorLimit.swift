import CShims
import Glibc

/// How many descriptors the process may have, and what that means for connections.
enum DescriptorLimit {
    /// What the process needs beside connections: logs, listeners, libraries.
    private static let overhead = 128

    /// Raises the soft limit to the hard one and returns it.
    static func raise() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            let before = limit.rlim_cur
            limit.rlim_cur = limit.rlim_max
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 { limit.rlim_cur = before }
        }
        return Int(min(limit.rlim_cur, rlim_t(Int32.max)))
    }

    /// The most client connections that fit: each may need one to an upstream, and some more may be in their handshakes.
    static func connections(descriptors: Int) -> Int {
        let room = descriptors - overhead
        return max(1, (room - ConnectionCount.headroom(of: room / 2)) / 2)
    }
}
