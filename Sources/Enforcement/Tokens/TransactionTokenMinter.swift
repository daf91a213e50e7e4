public import Bytes
public import Cryptography
import JSON

/// Issues transaction tokens: short-lived JWTs that tell the services behind the gateway what one call is for
/// (draft-ietf-oauth-transaction-tokens).
///
/// They are no access tokens and authenticate nobody. It is immutable, so that all workers may share one.
public final class TransactionTokenMinter: Sendable {
    /// What the tokens are signed with, and for whom.
    public let settings: TransactionTokenSettings

    /// The encoded header and the dot behind it: the same in every token.
    private let prefix: String

    /// Makes a minter.
    public init(settings: TransactionTokenSettings) {
        self.settings = settings
        var header = ByteQueue()
        header.append("{\"alg\":\"")
        header.append(utf8: settings.algorithm.rawValue)
        header.append("\",\"kid\":\"")
        header.append(utf8: settings.keyID)
        header.append("\",\"typ\":\"txntoken+jwt\"}")
        prefix = Base64URL.encode(header.readable) + "."
    }

    /// Issues the token of one call.
    ///
    /// It is over when the access token is, at the latest: so no leeway for an issuer's clock lives on behind the gateway.
    ///
    /// - Parameters:
    ///   - claims: those of the access token that allows the call.
    ///   - context: the call.
    ///   - now: the time.
    /// - Returns: the compact JWS.
    /// - Throws: where the library cannot sign.
    public func mint(
        claims: TokenClaims, context: TransactionTokenContext, now: UnixTime
    ) throws(KeyError) -> [UInt8] {
        let payload = payload(subject: claims.subject, expiresAt: claims.expiresAt, context, now: now)
        return try sign(payload)
    }

    func sign(_ payload: borrowing ByteQueue) throws(KeyError) -> [UInt8] {
        let input = prefix + Base64URL.encode(payload.readable)
        let signature = try settings.key.sign(input.utf8.span, with: settings.algorithm)
        return Array((input + "." + Base64URL.encode(signature.span)).utf8)
    }

    // MARK: Claims

    /// The claims as JSON, on plain values.
    func payload(
        subject: String, expiresAt: UnixTime, _ context: TransactionTokenContext, now: UnixTime
    ) -> ByteQueue {
        let expiry = min(now + settings.lifetime, expiresAt)
        var json = ByteQueue()
        json.append("{\"iss\":")
        json.append(jsonString: settings.issuer)
        json.append(",\"iat\":")
        json.append(decimal: Int(now.seconds))
        json.append(",\"exp\":")
        json.append(decimal: Int(expiry.seconds))
        Self.append("aud", settings.trustDomain, to: &json)
        Self.append("txn", context.transaction, to: &json)
        Self.append("sub", subject, to: &json)
        Self.append("scope", context.scope, to: &json)
        Self.append("req_wl", settings.workload, to: &json)
        Self.appendTransactionContext(context, to: &json)
        Self.appendRequesterContext(context, to: &json)
        json.append("}")
        return json
    }

    /// What the transaction is: `tctx`.
    private static func appendTransactionContext(_ context: TransactionTokenContext, to json: inout ByteQueue) {
        json.append(",\"tctx\":{\"route\":")
        json.append(jsonString: context.route)
        append("method", context.method, to: &json)
        if let path = context.path { append("path", path, to: &json) }
        json.append("}")
    }

    /// Who asked for it, and from where: `rctx`.
    private static func appendRequesterContext(_ context: TransactionTokenContext, to json: inout ByteQueue) {
        json.append(",\"rctx\":{\"agent\":")
        json.append(jsonString: context.agent)
        if let address = context.clientAddress { append("req_ip", address, to: &json) }
        json.append(",\"possession\":[")
        for (index, method) in context.possession.enumerated() {
            if index > 0 { json.append(",") }
            json.append(jsonString: method)
        }
        json.append("]}")
    }

    private static func append(_ name: StaticString, _ text: String, to json: inout ByteQueue) {
        json.append(",\"")
        json.append(name)
        json.append("\":")
        json.append(jsonString: text)
    }
}
