import Bytes
import Delegation
import HTTP
import Tokens

/// The scope that a route asks for, `action:resource:identifier`, with holes that the path fills: `read:orders:{order_id}`.
///
/// It is split on its first two colons before it is filled, and compared piece by piece with a grant's three parts: so
/// nothing in a path can move a colon, and a `*` in a path is that character and no wildcard.
public struct ScopeTemplate: Equatable, Sendable {
    private enum Piece: Equatable, Sendable {
        case literal([UInt8])
        case parameter(Int)
    }

    /// The template as written.
    public let text: String
    /// The names that its holes may have, in the order of the path's parameters.
    let parameters: [String]
    private let action: [Piece]
    private let resource: [Piece]
    private let identifier: [Piece]

    /// Reads a template.
    ///
    /// - Parameters:
    ///   - text: the template; outside its holes only characters that a scope may hold (RFC 6749 §3.3).
    ///   - parameters: the ``PathPattern/parameterNames`` of the route's path.
    public init(_ text: String, parameters: [String]) throws(ScopeTemplateError) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { throw .parts }
        action = try Self.pieces(parts[0], parameters: parameters)
        resource = try Self.pieces(parts[1], parameters: parameters)
        identifier = try Self.pieces(parts[2], parameters: parameters)
        self.text = text
        self.parameters = parameters
    }

    /// Whether `grant` covers what the template asks for at `target`, which must match `pattern`.
    func isCovered(by grant: ScopeGrant, at target: borrowing NormalizedTarget, of pattern: PathPattern) -> Bool {
        Self.equals(action, grant.action.utf8.span, at: target, of: pattern)
            && Self.equals(resource, grant.resource.utf8.span, at: target, of: pattern)
            && (grant.isWildcard || Self.equals(identifier, grant.identifier.utf8.span, at: target, of: pattern))
    }

    /// The call that a request at `target` is, as capabilities are asked about it; nothing where it is none.
    ///
    /// A template whose identifier is `*` asks for all of them.
    func call(at target: borrowing NormalizedTarget, of pattern: PathPattern) -> AttenuatingCall? {
        let asksForAll = identifier == [.literal([UInt8(ascii: "*")])]
        return AttenuatingCall(
            action: Self.bytes(action, at: target, of: pattern),
            resource: Self.bytes(resource, at: target, of: pattern),
            identifier: asksForAll ? nil : Self.bytes(identifier, at: target, of: pattern))
    }

    /// What the template asks for at `target`, as the grant that a list of capabilities amounts to there.
    ///
    /// A filled byte that a scope cannot hold is percent-encoded, and `%` and a whole `*` with it, so that the text says one
    /// thing only.
    func grant(at target: borrowing NormalizedTarget, of pattern: PathPattern) -> ScopeGrant? {
        var text = ByteQueue()
        for (index, part) in [action, resource, identifier].enumerated() {
            if index > 0 { text.append(UInt8(ascii: ":")) }
            let bytes = Self.bytes(part, at: target, of: pattern)
            let isStar = bytes == [UInt8(ascii: "*")] && part != [.literal(bytes)]
            text.append(scopeText: bytes.span, escaping: isStar ? UInt8(ascii: "*") : UInt8(ascii: "%"))
        }
        return String(validating: text.readable).flatMap { ScopeGrant($0) }
    }

    /// What the template asks for at `target`, as it may stand in a challenge.
    ///
    /// A filled byte that a scope cannot hold is percent-encoded: no grant in a space-separated list could have it.
    func filled(at target: borrowing NormalizedTarget, of pattern: PathPattern) -> String {
        var text = ByteQueue()
        for (index, part) in [action, resource, identifier].enumerated() {
            if index > 0 { text.append(UInt8(ascii: ":")) }
            for piece in part { Self.append(piece, to: &text, at: target, of: pattern) }
        }
        return String(validating: text.readable) ?? self.text
    }

    // MARK: Comparing

    private static func equals(
        _ pieces: [Piece], _ candidate: Span<UInt8>, at target: borrowing NormalizedTarget, of pattern: PathPattern
    ) -> Bool {
        var offset = 0
        for piece in pieces {
            switch piece {
            case .literal(let bytes):
                guard candidate.holds(bytes.span, at: &offset) else { return false }
            case .parameter(let parameter):
                let first = pattern.parameterSegments[parameter]
                guard candidate.holds(target.decodedSegment(first), at: &offset) else { return false }
                guard pattern.segments[first] == .rest else { continue }
                for index in first + 1..<max(first + 1, target.segmentCount) {
                    guard offset < candidate.count, candidate[offset] == UInt8(ascii: "/") else { return false }
                    offset += 1
                    guard candidate.holds(target.decodedSegment(index), at: &offset) else { return false }
                }
            }
        }
        return offset == candidate.count
    }

    private static func bytes(
        _ pieces: [Piece], at target: borrowing NormalizedTarget, of pattern: PathPattern
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .literal(let literal): bytes += literal
            case .parameter(let parameter):
                let first = pattern.parameterSegments[parameter]
                bytes += Array(copying: target.decodedSegment(first))
                guard pattern.segments[first] == .rest else { continue }
                for index in first + 1..<max(first + 1, target.segmentCount) {
                    bytes.append(UInt8(ascii: "/"))
                    bytes += Array(copying: target.decodedSegment(index))
                }
            }
        }
        return bytes
    }

    private static func append(
        _ piece: Piece, to text: inout ByteQueue, at target: borrowing NormalizedTarget, of pattern: PathPattern
    ) {
        switch piece {
        case .literal(let bytes):
            text.append(bytes.span)
        case .parameter(let parameter):
            let first = pattern.parameterSegments[parameter]
            text.append(scopeText: target.decodedSegment(first))
            guard pattern.segments[first] == .rest else { return }
            for index in first + 1..<max(first + 1, target.segmentCount) {
                text.append(UInt8(ascii: "/"))
                text.append(scopeText: target.decodedSegment(index))
            }
        }
    }

    // MARK: Reading

    private static func pieces(_ part: Substring, parameters: [String]) throws(ScopeTemplateError) -> [Piece] {
        var pieces: [Piece] = []
        var rest = part
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[brace] == "{", let end = rest[brace...].firstIndex(of: "}") else { throw .brace }
            if brace > rest.startIndex { pieces.append(.literal(try literal(rest[..<brace]))) }
            let name = rest[rest.index(after: brace)..<end]
            guard let parameter = parameters.firstIndex(where: { $0 == name }) else {
                throw .unknownParameter(String(name))
            }
            pieces.append(.parameter(parameter))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { pieces.append(.literal(try literal(rest))) }
        return pieces
    }

    private static func literal(_ text: Substring) throws(ScopeTemplateError) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy(\.isScopeCharacter) else { throw .character }
        return bytes
    }
}

extension Span where Element == UInt8 {
    /// Whether `part` stands at `offset`, which then is moved behind it.
    fileprivate func holds(_ part: Span<UInt8>, at offset: inout Int) -> Bool {
        guard part.count <= count - offset else { return false }
        guard extracting(offset..<offset + part.count).equals(part) else { return false }
        offset += part.count
        return true
    }
}

extension ByteQueue {
    fileprivate mutating func append(scopeText bytes: Span<UInt8>, escaping escaped: UInt8? = nil) {
        for index in bytes.indices {
            let byte = bytes[index]
            if byte.isScopeCharacter, byte != escaped {
                append(byte)
            } else {
                append(UInt8(ascii: "%"))
                append("0123456789ABCDEF".utf8.span[Int(byte >> 4)])
                append("0123456789ABCDEF".utf8.span[Int(byte & 15)])
            }
        }
    }
}

extension UInt8 {
    /// Whether a scope may hold it: printable ASCII but for the space, `"` and `\` (RFC 6749 §3.3).
    fileprivate var isScopeCharacter: Bool {
        self > 0x20 && self < 0x7f && self != UInt8(ascii: "\"") && self != UInt8(ascii: "\\")
    }
}
