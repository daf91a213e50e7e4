import Reactor
import Testing

@Suite("Routes to addresses")
struct SocketAddressRouteTests {
    @Test("There is a way to this machine, and a path has no need of one")
    func routable() {
        #expect(SocketAddress.ipv4(0x7F00_0001, port: 80).isRoutable)
        #expect(SocketAddress.unix("/nowhere").isRoutable)
    }

    @Test("There is none to an address that belongs to nobody")
    func unroutable() {
        // Of the class that RFC 1112 §4 reserves, which Linux does not route.
        #expect(!SocketAddress.ipv4(0xFFFF_FFFF, port: 80).isRoutable)
    }
}
