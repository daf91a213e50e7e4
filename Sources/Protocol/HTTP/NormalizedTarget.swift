import Bytes

/// The target of a request in the one form that is judged, logged and forwarded.
///
/// The path is normalised where all readers agree what it means (RFC 3986 §6.2.2): encoded unreserved characters are
/// decoded, other escapes get upper-case digits, literal dot segments are removed. Where readers are known to differ the
/// target is refused: see ``TargetError``. A trailing slash is kept: it makes a last, empty segment. The query is checked
/// (characters, complete escapes) and passed on as it came.
///
/// It is reusable: its memory is kept from one target to the next.
public struct NormalizedTarget: ~Copyable {
    private struct Segment {
        let encoded: ByteRange
        let decoded: ByteRange
        /// Whether ``decoded`` lies in the block of decoded bytes: it differs from the encoded form.
        let isApart: Bool
    }

    private var pathBlock = ByteQueue()
    private var decodedBlock = ByteQueue()
    private var queryBlock = ByteQueue()
    private var hasQuery = false
    private var segments: [Segment] = []

    /// Makes a target that holds nothing yet.
    public init() {}

    /// The normalised path: begins with `/`; empty before the first call of ``normalize(_:)`` and after one that threw.
    public var path: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { pathBlock.readable }
    }

    /// The query as it came, without `?`; nothing where there was no `?`.
    public var query: Span<UInt8>? {
        @_lifetime(borrow self)
        borrowing get {
            guard hasQuery else { return nil }
            return queryBlock.readable
        }
    }

    /// The number of segments: none in `/`, one in `/a`, two in `/a/`, whose last is empty.
    public var segmentCount: Int { segments.count }

    /// The segment at `index` as it stands in ``path``.
    @_lifetime(borrow self)
    public borrowing func segment(_ index: Int) -> Span<UInt8> {
        pathBlock.readable.extracting(segments[index].encoded.offsets)
    }

    /// The bytes that the segment at `index` stands for, percent-decoded: well-formed UTF-8 without controls.
    @_lifetime(borrow self)
    public borrowing func decodedSegment(_ index: Int) -> Span<UInt8> {
        let segment = segments[index]
        if segment.isApart { return decodedBlock.readable.extracting(segment.decoded.offsets) }
        return pathBlock.readable.extracting(segment.decoded.offsets)
    }

    /// Takes over `target`, which must be in origin-form: `path?query` (RFC 9112 §3.2.1).
    ///
    /// - Throws: where it is malformed or ambiguous; this value then holds nothing.
    public mutating func normalize(_ target: Span<UInt8>) throws(TargetError) {
        removeAll()
        do throws(TargetError) {
            guard !target.isEmpty, target[0] == UInt8(ascii: "/") else { throw .form }
            let end = target.firstIndex(of: UInt8(ascii: "?")) ?? target.count
            try takePath(target.extracting(0..<end))
            guard end < target.count else { return }
            let rest = target.extracting((end + 1)...)
            try Self.checkQuery(rest)
            queryBlock.append(rest)
            hasQuery = true
        } catch {
            removeAll()
            throw error
        }
    }

    /// Empties the value and keeps its memory.
    public mutating func removeAll() {
        pathBlock.removeAll()
        decodedBlock.removeAll()
        queryBlock.removeAll()
        hasQuery = false
        segments.removeAll(keepingCapacity: true)
    }

    private mutating func takePath(_ path: Span<UInt8>) throws(TargetError) {
        var start = 1
        while true {
            let end = path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? path.count
            let isLast = end == path.count
            let segment = path.extracting(start..<end)
            if segment.isEmpty {
                guard isLast else { throw .emptySegment }
                endWithSlash()
            } else if segment.equals(".") {
                if isLast { endWithSlash() }
            } else if segment.equals("..") {
                try removeLastSegment()
                if isLast { endWithSlash() }
            } else {
                try takeSegment(segment)
            }
            if isLast { return }
            start = end + 1
        }
    }

    /// Ends the path with a slash: an empty segment, unless it is the root.
    private mutating func endWithSlash() {
        pathBlock.append(UInt8(ascii: "/"))
        guard !segments.isEmpty else { return }
        let nothing = ByteRange(start: pathBlock.count, count: 0)
        segments.append(Segment(encoded: nothing, decoded: nothing, isApart: false))
    }

    private mutating func removeLastSegment() throws(TargetError) {
        guard let last = segments.popLast() else { throw .aboveRoot }
        pathBlock.truncate(to: Int(last.encoded.start) - 1)
        if last.isApart { decodedBlock.truncate(to: Int(last.decoded.start)) }
    }

    private mutating func takeSegment(_ segment: Span<UInt8>) throws(TargetError) {
        pathBlock.append(UInt8(ascii: "/"))
        let start = pathBlock.count
        var plain = 0
        while plain < segment.count, ByteSet.pathSegment.contains(segment[plain]) { plain += 1 }
        guard plain < segment.count else {
            pathBlock.append(segment)
            let range = ByteRange(start: start, count: segment.count)
            segments.append(Segment(encoded: range, decoded: range, isApart: false))
            return
        }
        let decodedStart = decodedBlock.count
        try decode(segment)
        try Self.checkDecoded(decodedBlock.readable.extracting(decodedStart...))
        let encoded = ByteRange(start: start, count: pathBlock.count - start)
        let decoded = ByteRange(start: decodedStart, count: decodedBlock.count - decodedStart)
        segments.append(Segment(encoded: encoded, decoded: decoded, isApart: true))
    }

    private mutating func decode(_ segment: Span<UInt8>) throws(TargetError) {
        var index = 0
        while index < segment.count {
            let byte = segment[index]
            if ByteSet.pathSegment.contains(byte) {
                pathBlock.append(byte)
                decodedBlock.append(byte)
                index += 1
                continue
            }
            guard byte == UInt8(ascii: "%") else { throw byte == UInt8(ascii: ";") ? .segmentParameter : .character }
            guard let value = Self.escapedByte(in: segment, at: index) else { throw .escape }
            try Self.checkEscaped(value)
            decodedBlock.append(value)
            if ByteSet.unreserved.contains(value) {
                pathBlock.append(value)
            } else {
                pathBlock.append(UInt8(ascii: "%"))
                pathBlock.append(Self.upperCaseDigit(value >> 4))
                pathBlock.append(Self.upperCaseDigit(value & 15))
            }
            index += 3
        }
    }

    private static func checkEscaped(_ value: UInt8) throws(TargetError) {
        switch value {
        case UInt8(ascii: "/"), UInt8(ascii: "\\"): throw .encodedSeparator
        case 0..<0x20, 0x7F: throw .encodedControl
        default: return
        }
    }

    /// Checks what a segment decodes to: `%25%32%46` is as bad as `%252F`, so this looks at decoded bytes.
    private static func checkDecoded(_ bytes: Span<UInt8>) throws(TargetError) {
        if bytes.equals(".") || bytes.equals("..") { throw .encodedDotSegment }
        for index in bytes.indices where bytes[index] == UInt8(ascii: "%") {
            if escapedByte(in: bytes, at: index) != nil { throw .doubleEncoding }
        }
        guard (try? UTF8Span(validating: bytes)) != nil else { throw .encoding }
    }

    private static func checkQuery(_ query: Span<UInt8>) throws(TargetError) {
        var index = 0
        while index < query.count {
            if ByteSet.query.contains(query[index]) {
                index += 1
            } else {
                guard query[index] == UInt8(ascii: "%") else { throw .character }
                guard escapedByte(in: query, at: index) != nil else { throw .escape }
                index += 3
            }
        }
    }

    private static func upperCaseDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    /// The byte that the escape at `index` stands for; nothing where it is not two hexadecimal digits.
    private static func escapedByte(in bytes: Span<UInt8>, at index: Int) -> UInt8? {
        guard index + 2 < bytes.count else { return nil }
        let high = bytes[index + 1].hexadecimalValue
        let low = bytes[index + 2].hexadecimalValue
        return high < 16 && low < 16 ? high << 4 | low : nil
    }
}

extension NormalizedTarget {
    /// Whether the query has a parameter of that name, with or without a value.
    ///
    /// Names are read as forms write them: `&` (and, to be on the safe side, `;`) between parameters, escapes decoded and
    /// `+` for a space. Nothing is allocated.
    public borrowing func hasQueryParameter(named name: StaticString) -> Bool {
        guard hasQuery else { return false }
        let query = queryBlock.readable
        var start = 0
        while start <= query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&"), query[end] != UInt8(ascii: ";") { end += 1 }
            let parameter = query.extracting(start..<end)
            let nameEnd = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.count
            if Self.isName(parameter.extracting(0..<nameEnd), of: name) { return true }
            start = end + 1
        }
        return false
    }

    private static func isName(_ encoded: Span<UInt8>, of name: StaticString) -> Bool {
        let wanted = unsafe Span(_unsafeStart: name.utf8Start, count: name.utf8CodeUnitCount)
        var index = 0
        var matched = 0
        while index < encoded.count {
            var byte = encoded[index]
            if byte == UInt8(ascii: "%") {
                guard let value = escapedByte(in: encoded, at: index) else { return false }
                byte = value
                index += 2
            } else if byte == UInt8(ascii: "+") {
                byte = UInt8(ascii: " ")
            }
            guard matched < wanted.count, byte == wanted[matched] else { return false }
            matched += 1
            index += 1
        }
        return matched == wanted.count
    }
}
