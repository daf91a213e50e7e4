import Bytes
import JSON
import Tokens

/// A Workload Proof Token that was taken apart, but is not yet believed (draft-ietf-wimse-wpt §2).
struct WPTProof: ~Copyable {
    let jws: CompactJWS
    private let payloadDocument: JSONDocument

    /// Takes one proof apart: a single JWT of strict JSON.
    init(_ compact: Span<UInt8>) throws(WPTRejection) {
        let jws = try Self.takeApart(compact)
        do throws(JSONError) {
            payloadDocument = try JSONDocument(jws.payload.span)
        } catch {
            throw .payload
        }
        self.jws = jws
    }

    private static func takeApart(_ compact: Span<UInt8>) throws(WPTRejection) -> CompactJWS {
        do throws(JWSError) {
            return try CompactJWS(compact)
        } catch {
            throw compact.isList ? .multiple : .jws(error)
        }
    }

    /// Reads the header, whose `typ` must be `wpt+jwt` or `application/wpt+jwt`, in any case (RFC 7515 §4.1.9).
    borrowing func header() throws(WPTRejection) -> JOSEHeader {
        let header: JOSEHeader
        do throws(JWSError) {
            header = try JOSEHeader(json: jws.header.span)
        } catch {
            throw .jws(error)
        }
        guard header.isTyped("wpt+jwt") else { throw .type }
        return header
    }

    /// What it claims.
    var claims: WPTClaims {
        @_lifetime(borrow self)
        borrowing get { WPTClaims(payloadDocument.root) }
    }
}

/// Reads the claims of a proof by type; it judges none.
struct WPTClaims: ~Escapable {
    private let payload: JSONValue

    /// The longest identifier, in bytes.
    static let maximumIdentifierLength = 256
    /// The most further tokens that a proof may bind.
    static let maximumOtherTokens = 16

    @_lifetime(copy payload)
    init(_ payload: JSONValue) {
        self.payload = payload
    }

    /// The text of a claim that must be there and be a string with something in it.
    @_lifetime(copy self)
    func text(_ name: WPTClaim) throws(WPTRejection) -> Span<UInt8> {
        guard let value = payload.member(named: name.rawValue) else { throw .missing(name) }
        guard let text = value.text, !text.isEmpty else { throw .invalid(name) }
        return text
    }

    /// The one audience: a string, or a list of that one string (RFC 7519 §4.1.3).
    @_lifetime(copy self)
    func audience() throws(WPTRejection) -> Span<UInt8> {
        guard let value = payload.member(named: WPTClaim.audience.rawValue) else { throw .missing(.audience) }
        guard value.kind == .array, value.count == 1 else { return try text(.audience) }
        var elements = value.elements
        guard let text = elements.next()?.text, !text.isEmpty else { throw .invalid(.audience) }
        return text
    }

    /// The identifier.
    @_lifetime(copy self)
    func identifier() throws(WPTRejection) -> Span<UInt8> {
        let text = try text(.identifier)
        guard text.count <= Self.maximumIdentifierLength else { throw .invalid(.identifier) }
        return text
    }

    /// The time of a claim that must be there.
    func time(_ name: WPTClaim) throws(WPTRejection) -> UnixTime {
        guard let value = payload.member(named: name.rawValue) else { throw .missing(name) }
        guard let time = NumericDate.time(value) else { throw .invalid(name) }
        return time
    }

    /// The time of a claim that may be absent.
    func timeIfPresent(_ name: WPTClaim) throws(WPTRejection) -> UnixTime? {
        contains(name) ? try time(name) : nil
    }

    /// The hash of a claim that must be there.
    func hash(_ name: WPTClaim) throws(WPTRejection) -> Digest256 {
        guard let hash = Digest256(base64URL: try text(name)) else { throw .invalid(name) }
        return hash
    }

    /// Whether the claim is there, whatever it is.
    func contains(_ name: WPTClaim) -> Bool {
        payload.member(named: name.rawValue) != nil
    }

    /// Calls `body` with every further token's lower-case field name and hash (`oth`).
    func forEachOtherToken(
        _ body: (Span<UInt8>, Digest256) throws(WPTRejection) -> Void
    ) throws(WPTRejection) {
        guard let value = payload.member(named: WPTClaim.otherTokenHashes.rawValue) else { return }
        guard value.kind == .object, value.count <= Self.maximumOtherTokens else { throw .invalid(.otherTokenHashes) }
        var members = value.members
        while let member = members.next() {
            guard member.name.isLowerCaseFieldName, let text = member.value.text,
                let hash = Digest256(base64URL: text)
            else { throw .invalid(.otherTokenHashes) }
            try body(member.name, hash)
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether it is a field name without capitals (`token` of RFC 9110 §5.6.2).
    fileprivate var isLowerCaseFieldName: Bool {
        for index in indices {
            switch self[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"),
                UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "^")...UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
                continue
            default: return false
            }
        }
        return !isEmpty
    }
}
