import Bytes
import Identity

/// The parameters of a request: each at most once, and none that is not known.
struct AdminQuery {
    private var values: [String: String] = [:]

    /// Reads the part of a target behind its question mark.
    init(_ text: String?, allowing names: [String]) throws(AdminRefusal) {
        guard let text, !text.isEmpty else { return }
        for pair in text.split(separator: "&", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = Self.unescaped(parts[0]), let value = Self.unescaped(parts[1]) else {
                throw .badRequest("the query is not understood; write name=value, joined by &")
            }
            guard names.contains(name) else {
                let known = names.isEmpty ? "there are none here" : "there are \(names.joined(separator: ", "))"
                throw .badRequest("there is no parameter of that name; \(known)")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .badRequest("the parameter \(name) is there twice; give it once")
            }
        }
    }

    /// A parameter that is `true` or `false`; without it, false.
    func flag(_ name: String) throws(AdminRefusal) -> Bool {
        switch values[name] {
        case nil, "false": return false
        case "true": return true
        default: throw .badRequest("\(name) is true or false")
        }
    }

    /// Which revocations are asked for.
    func page() throws(AdminRefusal) -> RevocationQuery {
        var query = RevocationQuery()
        if let after = values["after"] {
            guard AdminRouter.isIdentifier(after) else {
                throw .badRequest("after is the member next of an earlier answer, or the id of a revocation")
            }
            query.after = after
        }
        if let limit = values["limit"] {
            let range = 1...RevocationQuery.largestPage
            guard limit.utf8.count <= 4, limit.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let limit = Int(limit),
                range.contains(limit)
            else { throw .badRequest("limit is a whole number from 1 to \(range.upperBound)") }
            query.limit = limit
        }
        if let level = values["level"] {
            guard let level = RevocationLevel(rawValue: level) else { throw RevocationDemand.unknownLevel }
            query.level = level
        }
        query.source = values["source"]
        return query
    }

    /// The text with its escapes read (RFC 3986 §2.1); nothing where they are malformed; a plus is a plus.
    private static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes.span)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
