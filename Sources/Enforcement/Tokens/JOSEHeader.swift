import Bytes
public import Cryptography
public import JSON

/// What the protected header of a JWS says that we act on (RFC 7515 §4.1).
///
/// `jwk`, `jku`, `x5u`, `x5c` and `x5t` are not read: a header never chooses the key that it is verified with. Members that
/// we do not know are ignored, as the standard says; those that must not be ignored refuse the whole JWS.
public struct JOSEHeader: Sendable {
    /// The signature's algorithm: one that we know.
    public let algorithm: SignatureAlgorithm
    /// The identifier of the key, at most 1024 bytes.
    public let keyID: String?
    /// What the JWS is, as written.
    public let type: String?

    /// The most bytes of a key's identifier.
    static let maximumKeyIDLength = 1024

    /// Reads a header.
    ///
    /// - Throws: `header` where it is not an object or a member has the wrong type; `critical` where it has `crit` (we
    ///   understand no extension) or `b64` (RFC 7797 §7 forbids it in a JWT); `encrypted` where it has `enc` or `zip`;
    ///   `algorithm` where that is unknown: so `none` and every `HS` algorithm.
    public init(_ header: JSONValue) throws(JWSError) {
        guard header.kind == .object else { throw .header }
        guard header.member("crit") == nil, header.member("b64") == nil else { throw .critical }
        guard header.member("enc") == nil, header.member("zip") == nil else { throw .encrypted }
        guard let name = header.member("alg")?.text else { throw .header }
        guard let algorithm = SignatureAlgorithm(joseName: name) else { throw .algorithm }
        self.algorithm = algorithm
        keyID = try Self.string(header.member("kid"), atMost: Self.maximumKeyIDLength)
        type = try Self.string(header.member("typ"), atMost: 127)
    }

    /// Reads a header from its bytes, which must be strict JSON.
    public init(json: Span<UInt8>) throws(JWSError) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(json)
        } catch {
            throw .header
        }
        try self.init(document.root)
    }

    /// Whether `typ` is `subtype` or `application/subtype`, in any case (RFC 7515 §4.1.9, RFC 8725 §3.11).
    public func isTyped(_ subtype: StaticString) -> Bool {
        guard let type else { return false }
        let prefix = "application/".utf8.count
        let bytes = type.utf8.span
        if bytes.equalsIgnoringCase(subtype) { return true }
        guard bytes.count > prefix, bytes.extracting(0..<prefix).equalsIgnoringCase("application/") else {
            return false
        }
        return bytes.extracting(prefix..<bytes.count).equalsIgnoringCase(subtype)
    }

    private static func string(_ value: JSONValue?, atMost limit: Int) throws(JWSError) -> String? {
        guard let value else { return nil }
        guard let text = value.text, text.count <= limit else { throw .header }
        return String(validating: text)
    }
}
