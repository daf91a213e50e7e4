import Glibc
import ProxyProtocol

extension AddressBlock {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone, which is a block of one; nothing for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap({ NetworkAddress(String($0)) }) else { return nil }
        let width = if case .ipv4 = first { 32 } else { 128 }
        guard parts.count == 2 else {
            self.init(first, prefixLength: width)
            return
        }
        guard let length = DecimalText.number(parts[1]), length <= 128 else { return nil }
        self.init(first, prefixLength: Int(length))
    }
}

extension NetworkAddress {
    /// Reads an IP address; nothing for a name.
    fileprivate init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var v4 = in_addr()
        var v6 = in6_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self = .ipv4(UInt32(bigEndian: v4.s_addr))
        } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
            let words = unsafe unsafeBitCast(v6, to: (UInt64, UInt64).self)
            self = .ipv6(UInt64(bigEndian: words.0), UInt64(bigEndian: words.1))
        } else {
            return nil
        }
    }
}
