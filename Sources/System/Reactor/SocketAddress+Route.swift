import CShims
import Glibc

extension SocketAddress {
    /// Whether the machine has a route to the address; asks the kernel and sends nothing.
    ///
    /// A name may have IPv6 addresses where the machine has no IPv6. A path has no need of a route.
    public var isRoutable: Bool {
        if case .unix = self { return true }
        let number = socket(family, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return false }
        let descriptor = FileDescriptor(owning: number)
        // To connect a datagram socket is to look its route up.
        let code = try? unsafe withKernelForm { unsafe connect(descriptor.number, $0, $1) }
        return code == 0
    }
}
