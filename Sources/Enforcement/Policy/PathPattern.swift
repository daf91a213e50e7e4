import Bytes
public import HTTP

/// The paths that a route is for: `/orders/{order_id}`, `/files/{path...}`.
///
/// A segment is literal, or `{name}`, which stands for one segment that is not empty, or at the end `{name...}`, which
/// stands for one segment or more, the first not empty. Segments are compared percent-decoded, so no spelling of a path
/// slips past a literal. A trailing slash counts: it makes a last, empty segment.
public struct PathPattern: Equatable, Sendable {
    enum Segment: Equatable, Sendable {
        case literal([UInt8])
        case parameter
        case rest
    }

    /// The pattern as written.
    public let text: String
    /// The names of its parameters, in order.
    public let parameterNames: [String]
    /// What each segment must be.
    let segments: [Segment]
    /// The segment of each parameter.
    let parameterSegments: [Int]

    /// Reads a pattern.
    ///
    /// - Throws: where it is malformed, or where no request's path could ever match it.
    public init(_ text: String) throws(PathPatternError) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw .notAbsolute }
        var names: [String] = []
        var segments: [Segment] = []
        var parameterSegments: [Int] = []
        let parts = text == "/" ? [] : text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let segment = try Self.segment(String(part), isLast: index == parts.count - 1)
            if let name = segment.name {
                guard !names.contains(name) else { throw .duplicateParameter(name) }
                names.append(name)
                parameterSegments.append(index)
            }
            segments.append(segment.kind)
        }
        self.text = text
        self.segments = segments
        self.parameterSegments = parameterSegments
        parameterNames = names
    }

    /// Whether the pattern is for that target's path.
    public func matches(_ target: borrowing NormalizedTarget) -> Bool {
        let isOpen = segments.last == .rest
        guard isOpen ? target.segmentCount >= segments.count : target.segmentCount == segments.count else {
            return false
        }
        for index in segments.indices {
            let actual = target.decodedSegment(index)
            switch segments[index] {
            case .literal(let bytes): guard actual.equals(bytes.span) else { return false }
            case .parameter, .rest: guard !actual.isEmpty else { return false }
            }
        }
        return true
    }

    private static func segment(
        _ part: String, isLast: Bool
    ) throws(PathPatternError) -> (kind: Segment, name: String?) {
        guard !part.isEmpty || isLast else { throw .emptySegment }
        guard part.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
            return (.literal(try literal(part)), nil)
        }
        guard part.hasPrefix("{"), part.hasSuffix("}") else { throw .partialParameter(part) }
        var name = part.dropFirst().dropLast()
        let isRest = name.hasSuffix("...")
        if isRest { name = name.dropLast(3) }
        guard ParameterName.isValid(name) else { throw .parameterName(String(name)) }
        guard isLast || !isRest else { throw .restNotLast(String(name)) }
        return (isRest ? .rest : .parameter, String(name))
    }

    /// The bytes that a literal segment stands for, found as for a request, so that the two are sure to agree.
    private static func literal(_ part: String) throws(PathPatternError) -> [UInt8] {
        guard !part.isEmpty else { return [] }
        var target = NormalizedTarget()
        do throws(TargetError) {
            try target.normalize(("/" + part).utf8.span)
        } catch {
            throw .unreachable(part, error)
        }
        guard target.segmentCount == 1, target.query == nil, !target.segment(0).isEmpty else {
            throw .unreachable(part, nil)
        }
        return Array(copying: target.decodedSegment(0))
    }
}

/// The names of path parameters: a letter or `_`, then letters, digits and `_`.
enum ParameterName {
    static func isValid(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { byte in
            isDigit(byte) || byte == UInt8(ascii: "_")
                || byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}
