import Bytes
import JSON

/// Tokens that say nothing to us: only their issuer can (RFC 7662 §1).
enum OpaqueToken {
    /// The place of the issuer to ask about a token, or nothing where the token is to be verified by its signature.
    ///
    /// A token that is no JWT is for the one issuer that introspects among those of the route. A JWT is for the issuer that
    /// it names, if that one introspects: but only the issuers of the route are told a token.
    ///
    /// - Parameters:
    ///   - compact: the token.
    ///   - issuers: those that are believed.
    ///   - names: the names of the route's issuers.
    /// - Throws: `opaque` where there is not exactly one issuer to ask.
    static func issuer(
        of compact: Span<UInt8>, among issuers: IssuerTable, for names: [String]
    ) throws(TokenRejection) -> Int? {
        let jws: CompactJWS
        do throws(JWSError) {
            jws = try CompactJWS(compact)
        } catch {
            // An encrypted JWT is refused, not passed on.
            guard error == .malformed else { return nil }
            guard compact.isToken68 else { throw .opaque }
            return try onlyIssuer(among: issuers, for: names)
        }
        guard isObject(jws.header.span) else { return try onlyIssuer(among: issuers, for: names) }
        guard let index = namedIssuer(jws.payload.span, among: issuers), issuers.introspecting.contains(index) else {
            return nil
        }
        guard names.listsExactly(issuers.issuers[index].issuer) else { throw .opaque }
        return index
    }

    /// The issuers that could be asked, if there is one.
    private static func onlyIssuer(
        among issuers: IssuerTable, for names: [String]
    ) throws(TokenRejection) -> Int {
        let askable = issuers.introspecting.filter { names.listsExactly(issuers.issuers[$0].issuer) }
        guard let index = askable.first, askable.count == 1 else { throw .opaque }
        return index
    }

    private static func isObject(_ json: Span<UInt8>) -> Bool {
        do throws(JSONError) {
            let document = try JSONDocument(json)
            return document.root.kind == .object
        } catch {
            return false
        }
    }

    private static func namedIssuer(_ payload: Span<UInt8>, among issuers: IssuerTable) -> Int? {
        do throws(JSONError) {
            let document = try JSONDocument(payload)
            guard let name = document.root.member("iss") else { return nil }
            return issuers.index(of: name)
        } catch {
            return nil
        }
    }
}

extension [String] {
    /// Whether `text` is one of them, byte for byte.
    func listsExactly(_ text: String) -> Bool {
        let bytes = text.utf8.span
        for candidate in self where bytes.equals(utf8: candidate) { return true }
        return false
    }
}

extension Span where Element == UInt8 {
    /// Whether it is what an `Authorization` field may hold as one token (RFC 9110 §11.2).
    fileprivate var isToken68: Bool {
        var end = count
        while end > 0, self[end - 1] == UInt8(ascii: "=") { end -= 1 }
        for index in 0..<end {
            switch self[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                continue
            default: return false
            }
        }
        return end > 0
    }
}
