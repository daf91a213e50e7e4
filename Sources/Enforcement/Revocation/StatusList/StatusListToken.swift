public import Bytes
import Compression
public import Cryptography
import JSON
import Tokens

/// Verifies status lists in their JWT form (Token Status List §5.1, §8.3).
public enum StatusListToken {
    /// The most bytes that the statuses may expand to: 128 million of one bit.
    public static let maximumByteCount = 16 << 20
    /// The most bytes of a token; statuses that differ at random do not get shorter.
    public static let maximumLength = 24 << 20
    /// How far the issuer's clock may be ahead of ours.
    public static let clockLeeway = Interval.seconds(60)

    /// Verifies a list.
    ///
    /// - Parameters:
    ///   - compact: the token in compact form.
    ///   - uri: the URI that it was fetched from and that tokens name it by: its `sub` must be that.
    ///   - signer: who must have signed it; where it has `iss`, that must be the signer.
    ///   - known: the list that is known under that URI: an older one is refused.
    ///   - engine: the thread's.
    ///   - now: the time.
    public static func verify(
        _ compact: Span<UInt8>, uri: String, by signer: FeedSigner, after known: StatusList? = nil,
        engine: CryptographicEngine, now: UnixTime
    ) throws(StatusListFault) -> StatusList {
        guard compact.count <= maximumLength else { throw .compression(.tooLarge) }
        let jws = try authenticated(compact, by: signer, engine: engine)
        let document = try document(jws.payload.span)
        let claims = document.root
        if let issuer = claims.member("iss"), !issuer.equals(utf8: signer.issuer) { throw .issuer }
        guard let subject = claims.member("sub"), subject.kind == .string else { throw .claim("sub") }
        guard subject.equals(utf8: uri) else { throw .subject }
        guard let issued = claims.member("iat"), let issuedAt = NumericDate.time(issued) else { throw .claim("iat") }
        guard issuedAt <= now + clockLeeway else { throw .issuedInFuture }
        if let known, issuedAt < known.issuedAt { throw .older }
        let expiresAt = try expiry(claims.member("exp"))
        if let expiresAt, expiresAt <= now { throw .expired }
        guard let list = claims.member("status_list"), list.kind == .object else { throw .claim("status_list") }
        guard let bits = list.member("bits")?.integer, [1, 2, 4, 8].contains(bits) else { throw .claim("bits") }
        return StatusList(
            uri: uri, bits: Int(bits), bytes: try statuses(list.member("lst")), issuedAt: issuedAt,
            expiresAt: expiresAt, timeToLive: try timeToLive(claims.member("ttl")))
    }

    private static func authenticated(
        _ compact: Span<UInt8>, by signer: FeedSigner, engine: CryptographicEngine
    ) throws(StatusListFault) -> CompactJWS {
        do throws(JWSError) {
            if let jws = try signer.authenticate(compact, type: "statuslist+jwt", engine: engine) { return jws }
        } catch {
            throw .jws(error)
        }
        throw .type
    }

    private static func document(_ payload: Span<UInt8>) throws(StatusListFault) -> JSONDocument {
        var limits = JSONLimits.standard
        limits.bytes = maximumLength
        do throws(JSONError) {
            let document = try JSONDocument(payload, limits: limits)
            return document
        } catch {
            throw .payload
        }
    }

    private static func expiry(_ value: JSONValue?) throws(StatusListFault) -> UnixTime? {
        guard let value else { return nil }
        guard let time = NumericDate.time(value) else { throw .claim("exp") }
        return time
    }

    /// A positive number of seconds, whole or not.
    private static func timeToLive(_ value: JSONValue?) throws(StatusListFault) -> Interval? {
        guard let value else { return nil }
        guard let seconds = value.number, seconds > 0, seconds <= 1e9 else { throw .claim("ttl") }
        return Interval(nanoseconds: max(1, Int64(seconds * 1e9)))
    }

    private static func statuses(_ value: JSONValue?) throws(StatusListFault) -> [UInt8] {
        guard let text = value?.text, let compressed = Base64URL.decode(text) else { throw .claim("lst") }
        do throws(CompressionError) {
            return try Inflate.zlib(compressed.span, atMost: maximumByteCount)
        } catch {
            throw .compression(error)
        }
    }
}
