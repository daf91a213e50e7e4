import Bytes
import Cryptography
import Delegation
import JSON
import Tokens

/// Through whom an attenuating token says that it came: read without any check, to be drawn and for nothing else.
enum StatedChain {
    /// The most tokens that are read, so that a drawing stays one: more than any chain may have.
    private static let limit = Lineage.maximumDepth + 2

    /// Whether a token says that it is of the kind that comes in chains.
    static func isOne(_ compact: Span<UInt8>) -> Bool {
        guard let jws = try? CompactJWS(compact), let header = try? JOSEHeader(json: jws.header.span) else {
            return false
        }
        return header.isTyped("aat+jwt")
    }

    /// The holders of the tokens before it, in the order of the field, and who holds the last.
    static func holders(of leaf: Span<UInt8>, after chain: Span<UInt8>) -> [LineageDrawing.Holder] {
        var holders: [LineageDrawing.Holder] = []
        var start = 0
        while start < chain.count, holders.count < limit {
            let end = chain.firstIndex(of: UInt8(ascii: ","), from: start) ?? chain.count
            var first = start
            var last = end
            while first < last, chain[first] == UInt8(ascii: " ") || chain[first] == UInt8(ascii: "\t") { first += 1 }
            while first < last, chain[last - 1] == UInt8(ascii: " ") || chain[last - 1] == UInt8(ascii: "\t") {
                last -= 1
            }
            holders.append(holder(of: chain.extracting(first..<last)))
            start = end + 1
        }
        return holders + [holder(of: leaf)]
    }

    private static func holder(of compact: Span<UInt8>) -> LineageDrawing.Holder {
        let nobody = LineageDrawing.Holder(name: "(nobody)", scopes: [])
        guard let jws = try? CompactJWS(compact) else { return nobody }
        do throws(JSONError) {
            let document = try JSONDocument(jws.payload.span, limits: AttenuatingCapabilities.jsonLimits)
            return LineageDrawing.Holder(name: name(in: document), scopes: tools(in: document))
        } catch {
            return nobody
        }
    }

    private static func name(in claims: borrowing JSONDocument) -> String {
        guard let jwk = claims.root.member("cnf")?.member("jwk"), let key = try? JSONWebKey.publicKey(jwk) else {
            return "(nobody)"
        }
        return "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + key.thumbprint.base64URL
    }

    private static func tools(in claims: borrowing JSONDocument) -> [String] {
        guard let details = claims.root.member("authorization_details"),
            let capabilities = try? AttenuatingCapabilities.read(details)
        else { return [] }
        return capabilities.names
    }
}
