public import Audit
public import Bytes
import Cryptography
import Delegation
import HTTP
import Identity
import Policy
import Possession
import Tokens

/// How an exchange ended, for its last record.
public struct Completion: Equatable, Sendable {
    /// The status that the client was sent; 0 where none could be.
    public var status: UInt16
    /// Content bytes that came from the client.
    public var bytesIn: UInt64
    /// Content bytes that went to the client.
    public var bytesOut: UInt64
    /// The SHA-256 of the content that came from the client.
    public var requestDigest: Digest256
    /// The SHA-256 of the content that went to the client.
    public var responseDigest: Digest256
    /// From the request's head to the end.
    public var duration: Interval
    /// Why it ended early, if it did.
    public var reason: String?

    /// Makes an ending.
    public init(
        status: UInt16, bytesIn: UInt64, bytesOut: UInt64, requestDigest: Digest256, responseDigest: Digest256,
        duration: Interval, reason: String?
    ) {
        self.status = status
        self.requestDigest = requestDigest
        self.responseDigest = responseDigest
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.duration = duration
        self.reason = reason
    }
}

extension Exchange {
    /// The most bytes that the record of a completion takes beyond the record of its decision.
    public var completionOverhead: Int { 768 + 2 * (upstream?.utf8.count ?? 0) }
    /// The longest part of a path that could not be normalised which a record holds.
    private static let rawPathLimit = 512
    /// The most bytes of a link's scopes which a record holds.
    private static let scopeLimit = 1024

    /// Writes the record of a decision: allowed where there is no denial.
    public mutating func write(
        _ record: inout AuditRecord, denial: Denial?, connection: ConnectionContext, time: UnixTime
    ) {
        write(
            &record, event: denial == nil ? .requestAllowed : .requestDenied, connection: connection, time: time,
            reason: denial?.reason, completion: nil)
    }

    /// Writes the record of how an allowed call ended.
    public mutating func write(
        _ record: inout AuditRecord, completion: Completion, connection: ConnectionContext, time: UnixTime
    ) {
        write(
            &record, event: .requestCompleted, connection: connection, time: time, reason: completion.reason,
            completion: completion)
    }

    /// Writes one record; its members must come in the order of their names.
    private mutating func write(
        _ record: inout AuditRecord, event: AuditEvent, connection: ConnectionContext, time: UnixTime, reason: String?,
        completion: Completion?
    ) {
        record.reset()
        if let agent = agent(of: connection) { record.member("agent", agent) }
        if let completion {
            record.member("bytes_in", number: completion.bytesIn)
            record.member("bytes_out", number: completion.bytesOut)
        }
        if let peer = connection.peer { record.member("certificate", digest: peer.certificate.fingerprint) }
        writeLineage(&record)
        if let completion {
            record.member("duration_us", number: UInt64(max(0, completion.duration.nanoseconds / 1000)))
        }
        record.member(event: event)
        if let claims { record.member("issuer", claims.issuer) }
        record.member("listener", connection.rules.name)
        if !request.method.isEmpty { record.member("method", request.method.readable) }
        if let orchestration = claims?.orchestration { record.member("orchestration", orchestration) }
        writePath(&record)
        record.member("peer", connection.address)
        if !possession.isEmpty { record.member("possession", possession.text) }
        if let reason { record.member("reason", reason) }
        writeIdentifiers(&record)
        if let completion {
            record.member("request_sha256", digest: completion.requestDigest)
            record.member("response_sha256", digest: completion.responseDigest)
        }
        if let route { record.member("route", route.name) }
        if let grant { record.member("scope", grant.text) }
        if let sponsor = claims?.sponsor { record.member("sponsor", sponsor) }
        if let completion { record.member("status", number: UInt64(completion.status)) }
        if let task = claims?.task { record.member("task", task) }
        record.member("time", time: time)
        if let token = claims?.tokenID { record.member("token_id", token) }
        scratch.removeAll()
        trace.appendTraceIdentifier(to: &scratch)
        record.member("trace_id", scratch.readable)
        if completion != nil, let upstream { record.member("upstream", upstream) }
        record.finish()
    }

    /// Who calls: the token's agent once possession is proven; before that, whoever holds the certificate: a token that
    /// was stolen must not make its owner look like the thief.
    private func agent(of connection: ConnectionContext) -> String? {
        let holder = connection.peer?.spiffeID?.text
        return possession.isEmpty ? holder ?? claims?.agent : claims?.agent ?? holder
    }

    /// Writes through whom the token came, and with what: names whole, of many scopes the first.
    private mutating func writeLineage(_ record: inout AuditRecord) {
        guard let lineage = claims?.lineage, lineage.depth > 0 else { return }
        scratch.removeAll()
        scratch.append(UInt8(ascii: "["))
        for (index, link) in lineage.links.enumerated() {
            if index > 0 { scratch.append(UInt8(ascii: ",")) }
            scratch.append("{\"agent\":\"")
            scratch.append(escapingJSON: link.agent.utf8.span)
            scratch.append("\",\"scope\":\"")
            appendScopes(of: link)
            scratch.append("\"}")
        }
        scratch.append(UInt8(ascii: "]"))
        record.member("delegation", raw: scratch.readable)
    }

    /// Appends the scopes of a link with spaces between them, as many as a record may hold; `...` stands for the others.
    private mutating func appendScopes(of link: LineageLink) {
        var room = Self.scopeLimit
        for (index, scope) in link.scopes.enumerated() {
            if index > 0 { scratch.append(UInt8(ascii: " ")) }
            room -= scope.utf8.count + 1
            guard room >= 0 else { return scratch.append("...") }
            scratch.append(escapingJSON: scope.utf8.span)
        }
    }

    private mutating func writeIdentifiers(_ record: inout AuditRecord) {
        scratch.removeAll()
        identifier.append(to: &scratch)
        record.member("request_id", scratch.readable)
    }

    /// Writes the path as it was judged; before it could be, as it came, without query and fragment, and not all of it.
    private func writePath(_ record: inout AuditRecord) {
        if hasTarget {
            record.member("path", target.path)
        } else if !request.target.isEmpty {
            record.member("path", Self.pathPart(of: request.target.readable))
        }
    }

    /// A fragment, which has no place in a request, may hold a token too (RFC 6749 §4.2.2).
    @_lifetime(copy target)
    private static func pathPart(of target: Span<UInt8>) -> Span<UInt8> {
        let limit = min(target.count, rawPathLimit)
        var end = 0
        while end < limit, target[end] != UInt8(ascii: "?"), target[end] != UInt8(ascii: "#") { end += 1 }
        return target.extracting(0..<end)
    }
}
