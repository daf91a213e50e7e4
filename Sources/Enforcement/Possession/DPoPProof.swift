import Bytes
import Cryptography
import JSON
import Tokens

/// A DPoP proof that was taken apart, but is not yet believed (RFC 9449 §4.2).
struct DPoPProof: ~Copyable {
    let jws: CompactJWS
    private let headerDocument: JSONDocument
    private let payloadDocument: JSONDocument

    /// Takes one proof apart: a single JWT of strict JSON.
    init(_ compact: Span<UInt8>) throws(DPoPRejection) {
        let jws = try Self.takeApart(compact)
        let headerDocument = try Self.document(jws.header.span, else: .jws(.header))
        let payloadDocument = try Self.document(jws.payload.span, else: .payload)
        self.jws = jws
        self.headerDocument = headerDocument
        self.payloadDocument = payloadDocument
    }

    private static func takeApart(_ compact: Span<UInt8>) throws(DPoPRejection) -> CompactJWS {
        do throws(JWSError) {
            return try CompactJWS(compact)
        } catch {
            throw compact.isList ? .multiple : .jws(error)
        }
    }

    private static func document(
        _ json: Span<UInt8>, else rejection: DPoPRejection
    ) throws(DPoPRejection) -> JSONDocument {
        do throws(JSONError) {
            return try JSONDocument(json)
        } catch {
            throw rejection
        }
    }

    /// Reads the header, whose `typ` must be `dpop+jwt` or `application/dpop+jwt`, in any case (RFC 7515 §4.1.9).
    borrowing func header() throws(DPoPRejection) -> JOSEHeader {
        let header: JOSEHeader
        do throws(JWSError) {
            header = try JOSEHeader(headerDocument.root)
        } catch {
            throw .jws(error)
        }
        guard header.isTyped("dpop+jwt") else { throw .type }
        return header
    }

    /// The header's `jwk`.
    var jwk: JSONValue? {
        @_lifetime(borrow self)
        borrowing get { headerDocument.root.member("jwk") }
    }

    /// What it claims.
    var claims: DPoPClaims {
        @_lifetime(borrow self)
        borrowing get { DPoPClaims(payloadDocument.root) }
    }
}

/// Reads the claims of a proof by type; it judges none.
struct DPoPClaims: ~Escapable {
    private let payload: JSONValue

    /// The longest identifier, in bytes (RFC 9449 §11.1 lets a server refuse unnecessarily large ones).
    static let maximumIdentifierLength = 256

    @_lifetime(copy payload)
    init(_ payload: JSONValue) {
        self.payload = payload
    }

    /// The text of a claim that must be there and be a string with something in it.
    @_lifetime(copy self)
    func text(_ name: DPoPClaim) throws(DPoPRejection) -> Span<UInt8> {
        guard let value = payload.member(named: name.rawValue) else { throw .missing(name) }
        guard let text = value.text, !text.isEmpty else { throw .invalid(name) }
        return text
    }

    /// The time of a claim that must be there.
    func time(_ name: DPoPClaim) throws(DPoPRejection) -> UnixTime {
        guard let value = payload.member(named: name.rawValue) else { throw .missing(name) }
        guard let time = NumericDate.time(value) else { throw .invalid(name) }
        return time
    }

    /// The time of a claim that may be absent.
    func timeIfPresent(_ name: DPoPClaim) throws(DPoPRejection) -> UnixTime? {
        payload.member(named: name.rawValue) == nil ? nil : try time(name)
    }

    /// The identifier.
    @_lifetime(copy self)
    func identifier() throws(DPoPRejection) -> Span<UInt8> {
        let text = try text(.identifier)
        guard text.count <= Self.maximumIdentifierLength else { throw .invalid(.identifier) }
        return text
    }

    /// A copy of the nonce, if there is one.
    func nonce() throws(DPoPRejection) -> [UInt8]? {
        payload.member("nonce") == nil ? nil : Array(copying: try text(.nonce))
    }
}

extension Span where Element == UInt8 {
    /// Whether there is a comma or white space in it: then it may be two fields that somebody joined (RFC 9110 §5.3).
    var isList: Bool {
        for index in indices {
            switch self[index] {
            case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                return true
            default: continue
            }
        }
        return false
    }
}
