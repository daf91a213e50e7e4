import Bytes

/// Comparison of the URI that a proof names with the one that a request is for (RFC 9449 §4.3 step 9).
public enum TargetURI {
    /// Whether `uri` is one of `origins` followed by `path`, under the normalisation of RFC 3986 §6.2.2 and §6.2.3.
    ///
    /// The case of scheme, host and percent-encodings does not matter, nor do encoded unreserved characters, dot segments, a
    /// default port and an empty path. Query and fragment of `uri` are ignored. User information, an escape that is none,
    /// and an encoded slash for a slash make it another URI; so do the case of the path and a slash at its end.
    ///
    /// - Parameters:
    ///   - uri: what the proof says.
    ///   - origins: the configured ones that the request was for; any of them will do.
    ///   - path: the request's path in normal form.
    public static func matches(_ uri: Span<UInt8>, origins: [TargetOrigin], path: Span<UInt8>) -> Bool {
        guard let parts = URIParts(uri) else { return false }
        guard let port = parts.port(in: uri) else { return false }
        guard origins.contains(where: { parts.isOrigin($0, port: port, in: uri) }) else { return false }
        let written = uri.extracting(parts.path)
        if written.isEmpty { return path.equals("/") }
        if written.equals(path) { return true }
        guard let normal = URIPath.normalized(written) else { return false }
        return normal.span.equals(path)
    }
}

/// Where the parts of an absolute `http` or `https` URI lie (RFC 3986 §3).
struct URIParts {
    let isSecure: Bool
    let host: Range<Int>
    private let portDigits: Range<Int>
    let path: Range<Int>
    /// The offset behind the path.
    var end: Int { path.upperBound }

    /// Takes a URI apart, or nothing where it is of another scheme, has user information or no host.
    init?(_ uri: Span<UInt8>) {
        let start: Int
        if uri.begins(withIgnoringCase: "https://") {
            (isSecure, start) = (true, 8)
        } else if uri.begins(withIgnoringCase: "http://") {
            (isSecure, start) = (false, 7)
        } else {
            return nil
        }
        var authorityEnd = start
        while authorityEnd < uri.count, !Self.endsAuthority(uri[authorityEnd]) {
            guard uri[authorityEnd] != UInt8(ascii: "@") else { return nil }
            authorityEnd += 1
        }
        var hostEnd = start
        if start < authorityEnd, uri[start] == UInt8(ascii: "[") {
            guard let bracket = uri.firstIndex(of: UInt8(ascii: "]"), from: start), bracket < authorityEnd else {
                return nil
            }
            hostEnd = bracket + 1
        } else {
            while hostEnd < authorityEnd, uri[hostEnd] != UInt8(ascii: ":") { hostEnd += 1 }
        }
        guard hostEnd > start else { return nil }
        guard hostEnd == authorityEnd || uri[hostEnd] == UInt8(ascii: ":") else { return nil }
        host = start..<hostEnd
        portDigits = min(hostEnd + 1, authorityEnd)..<authorityEnd
        var pathEnd = authorityEnd
        while pathEnd < uri.count, uri[pathEnd] != UInt8(ascii: "?"), uri[pathEnd] != UInt8(ascii: "#") { pathEnd += 1 }
        path = authorityEnd..<pathEnd
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// The port; the scheme's own where none is written (RFC 3986 §6.2.3), nothing where it is no port.
    func port(in uri: Span<UInt8>) -> UInt16? {
        guard !portDigits.isEmpty else { return isSecure ? 443 : 80 }
        guard uri[portDigits.lowerBound] != UInt8(ascii: "0") else { return nil }
        var number: UInt16 = 0
        for index in portDigits {
            let digit = uri[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, productOverflows) = number.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflows) = product.addingReportingOverflow(UInt16(digit))
            guard !productOverflows, !sumOverflows else { return nil }
            number = sum
        }
        return number
    }

    /// The host in lower case with its unreserved characters decoded, or nothing where an escape is none.
    func normalizedHost(in uri: Span<UInt8>) -> [UInt8]? {
        guard var bytes = URIPath.decodingUnreserved(uri.extracting(host)) else { return nil }
        for index in bytes.indices { bytes[index] = bytes[index].asciiLowercased }
        return bytes
    }

    func isOrigin(_ origin: TargetOrigin, port: UInt16, in uri: Span<UInt8>) -> Bool {
        guard port == origin.port, origin.scheme == (isSecure ? "https" : "http") else { return false }
        let written = uri.extracting(host)
        let name = origin.host
        let expected = name.utf8.span
        if written.count == expected.count {
            for index in expected.indices where written[index].asciiLowercased != expected[index] { return false }
            return true
        }
        // Only an escape can make another spelling of the same host longer.
        guard written.count > expected.count, let normal = normalizedHost(in: uri) else { return false }
        return normal.span.equals(expected)
    }
}

/// The normal form of a path (RFC 3986 §6.2.2, §5.2.4).
enum URIPath {
    /// The normal form of a path that begins with a slash, or nothing where an escape is none.
    static func normalized(_ path: Span<UInt8>) -> [UInt8]? {
        let slash = UInt8(ascii: "/")
        guard let decoded = decodingUnreserved(path), decoded.first == slash else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(decoded.count)
        var start = 1
        while true {
            let end = decoded[start...].firstIndex(of: slash) ?? decoded.count
            let isLast = end == decoded.count
            let segment = decoded[start..<end]
            if segment.elementsEqual("..".utf8) {
                while let byte = result.popLast(), byte != slash {}
                if isLast { result.append(slash) }
            } else if segment.elementsEqual(".".utf8) {
                if isLast { result.append(slash) }
            } else {
                result.append(slash)
                result.append(contentsOf: segment)
            }
            if isLast { return result }
            start = end + 1
        }
    }

    /// The bytes with escapes of unreserved characters decoded and all others in upper case.
    static func decodingUnreserved(_ bytes: Span<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = value(ofDigit: bytes[index + 1]),
                let low = value(ofDigit: bytes[index + 2])
            else { return nil }
            let decoded = high << 4 | low
            if isUnreserved(decoded) {
                result.append(decoded)
            } else {
                result.append(byte)
                result.append(upperCaseDigit(high))
                result.append(upperCaseDigit(low))
            }
            index += 3
        }
        return result
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func upperCaseDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the first bytes are those of `text` when ASCII letters of both are read as lower case.
    func begins(withIgnoringCase text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        return count >= length && extracting(0..<length).equalsIgnoringCase(text)
    }
}
