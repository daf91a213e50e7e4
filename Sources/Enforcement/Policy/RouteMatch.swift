import Bytes

/// Which requests a route is for.
public struct RouteMatch: Equatable, Sendable {
    /// The methods, compared case-sensitively (RFC 9110 §9.1); none listed means any.
    ///
    /// `HEAD` is a method like others: listing `GET` does not let it pass.
    public let methods: [String]
    /// The host, without a port, in lower case; nothing: any.
    public let host: String?
    /// The paths.
    public let path: PathPattern

    /// Makes a match.
    public init(methods: [String], host: String?, path: PathPattern) {
        self.methods = methods
        self.host = host?.lowercased()
        self.path = path
    }

    /// Whether the method and the host, of which the port counts nothing, are among those that are wanted.
    func accepts(method: Span<UInt8>, host actual: Span<UInt8>) -> Bool {
        if let host {
            guard actual.withoutPort.equalsIgnoringCase(lowercased: host.utf8.span) else { return false }
        }
        guard !methods.isEmpty else { return true }
        for wanted in methods where method.equals(utf8: wanted) { return true }
        return false
    }
}

extension Span where Element == UInt8 {
    /// The host of an authority `host`, `host:port` or `[v6]:port`.
    fileprivate var withoutPort: Span<UInt8> {
        @_lifetime(copy self)
        get {
            var end = count
            while end > 0, self[end - 1] >= UInt8(ascii: "0"), self[end - 1] <= UInt8(ascii: "9") { end -= 1 }
            guard end > 0, self[end - 1] == UInt8(ascii: ":") else { return self }
            return extracting(0..<end - 1)
        }
    }

    fileprivate func equalsIgnoringCase(lowercased other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index].asciiLowercased != other[index] { return false }
        return true
    }
}
