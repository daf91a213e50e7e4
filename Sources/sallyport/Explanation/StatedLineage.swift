import Bytes
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
