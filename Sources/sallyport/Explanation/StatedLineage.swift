import Bytes
import Cryptography
import Delegation
import JSON
import Tokens

/// Through whom a token says that it came: read without any check, to be drawn and for nothing else.
enum StatedLineage {
    /// The most holders that are read, so that a drawing stays one: more than any chain may have.
    private static let limit = Lineage.maximumDepth + 2

    /// Those whom a compact token names, and who holds it; none where it cannot be read.
    static func holders(in compact: Span<UInt8>) -> [LineageDrawing.Holder] {
        guard let jws = try? CompactJWS(compact) else { return [] }
        return holders(claims: jws.payload.span)
    }

    private static func holders(claims payload: Span<UInt8>) -> [LineageDrawing.Holder] {
        guard let document = try? JSONDocument(payload) else { return [] }
        let claims = document.root
        let scopes = scopes(claims.member("scope"))
        let subject = name(claims.member("sub"))
        guard claims.member("act") == nil else { return actors(claims, subject: subject, scopes: scopes) }
        return records(claims.member("delegation_chain")) + [LineageDrawing.Holder(name: subject, scopes: scopes)]
    }

    // MARK: Attenuating tokens

    /// The holders of a chain of attenuating tokens: those before as they came, the first first, and the last by itself.
    static func holders(in compact: Span<UInt8>, after chain: Span<UInt8>) -> [LineageDrawing.Holder] {
        var stated: [LineageDrawing.Holder] = []
        var start = 0
        while start < chain.count, stated.count < limit {
            let end = chain.firstIndex(of: UInt8(ascii: ","), from: start) ?? chain.count
            while start < end, chain[start] == UInt8(ascii: " ") { start += 1 }
            stated.append(holder(of: chain.extracting(start..<end)))
            start = end + 1
        }
        return stated + [holder(of: compact)]
    }

    /// The key that a token is bound to (RFC 9278), with the tools that it may call.
    private static func holder(of compact: Span<UInt8>) -> LineageDrawing.Holder {
        guard let jws = try? CompactJWS(compact), let document = try? JSONDocument(jws.payload.span) else {
            return .init(name: "(unreadable)", scopes: [])
        }
        var name = "(nobody)"
        if let jwk = document.root.member("cnf")?.member("jwk"), let key = try? JSONWebKey.publicKey(jwk) {
            name = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + key.thumbprint.base64URL
        }
        return .init(name: name, scopes: tools(document.root.member("authorization_details")))
    }

    private static func tools(_ details: JSONValue?) -> [String] {
        guard let details else { return [] }
        var tools: [String] = []
        var entries = details.elements
        while let entry = entries.next() {
            guard let map = entry.member("tools") else { continue }
            var members = map.members
            while let member = members.next() { tools.append(String(validating: member.name) ?? "(no text)") }
        }
        return tools
    }

    // MARK: Claims

    /// The records of an AgentWrit chain.
    private static func records(_ chain: JSONValue?) -> [LineageDrawing.Holder] {
        guard let chain else { return [] }
        var holders: [LineageDrawing.Holder] = []
        var elements = chain.elements
        while holders.count < limit, let record = elements.next() {
            holders.append(.init(name: name(record.member("agent")), scopes: scopes(record.member("scope"))))
        }
        return holders
    }

    /// The subject, the former actors, and the present one (RFC 8693 §4.1).
    private static func actors(_ claims: JSONValue, subject: String, scopes: [String]) -> [LineageDrawing.Holder] {
        var names: [String] = []
        var next = claims.member("act")
        while names.count < limit, let actor = next {
            names.append(name(actor.member("sub")))
            next = actor.member("act")
        }
        let former = [subject] + names.dropFirst().reversed()
        return former.map { .init(name: $0, scopes: []) } + [.init(name: names[0], scopes: scopes)]
    }

    private static func name(_ value: JSONValue?) -> String { value?.string ?? "(nobody)" }

    private static func scopes(_ value: JSONValue?) -> [String] {
        guard let value else { return [] }
        if let text = value.string { return text.split(separator: " ").map(String.init) }
        var scopes: [String] = []
        var elements = value.elements
        while let element = elements.next() { scopes.append(element.string ?? "(no text)") }
        return scopes
    }
}
