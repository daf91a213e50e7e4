public import Audit
public import Bytes
import Cryptography
import Delegation
public import HTTP
import Identity
public import Policy
import Possession
public import Tokens

/// A request that may go to its upstream: cleaned of everything that the client could pass off as ours, our own fields added.
///
/// It is made only from a ``Permit`` and the log's receipt for the record of that permit, so a call that was not judged, or
/// whose record the log does not have, cannot be forwarded: the code would not compile.
public struct ForwardableRequest: ~Copyable {
    /// The name of the upstream that the route leads to.
    public let upstream: String
    /// What the upstream is sent.
    public let head: RequestHead

    /// Prepares the request of `exchange`, which the permit was given for.
    ///
    /// - Parameters:
    ///   - exchange: the call.
    ///   - permit: what allows it.
    ///   - receipt: says that the log has the record of that.
    ///   - connection: where the call came from.
    ///   - minter: issues the transaction token, where the route wants one.
    ///   - now: the time.
    /// - Throws: where the route wants a transaction token and there can be none.
    public init(
        _ exchange: inout Exchange, permit: consuming Permit, receipt: consuming AuditReceipt,
        connection: ConnectionContext, minter: TransactionTokenMinter? = nil, now: UnixTime
    ) throws(Denial) {
        // The receipt has done its work by being here.
        _ = consume receipt
        let token = try exchange.mintTransactionToken(permit, connection, by: minter, now: now)
        upstream = permit.route.upstream
        var head = exchange.takeSpare()
        exchange.fill(&head, permit, connection)
        if let token { head.fields.append(literal: "txn-token", value: token.span) }
        self.head = head
    }

    /// Whether nothing of the request is lost if it is sent a second time: no content, and a method that may be repeated
    /// (RFC 9110 §9.2.2).
    public var isRepeatable: Bool {
        guard head.framing == .none else { return false }
        let method = head.method.readable
        return method.equals("GET") || method.equals("HEAD") || method.equals("OPTIONS") || method.equals("PUT")
            || method.equals("DELETE")
    }

    /// Gives up the evidence and returns the memory.
    consuming func intoHead() -> RequestHead {
        head
    }
}

extension Exchange {
    /// Fills the head that goes upstream.
    fileprivate mutating func fill(
        _ forwarded: inout RequestHead, _ permit: borrowing Permit, _ connection: ConnectionContext
    ) {
        forwarded.framing = request.framing
        if isExtendedConnect {
            forwarded.method.append("GET")
        } else {
            forwarded.method.append(request.method.readable)
        }
        forwarded.upgrade.append(request.upgrade.readable)
        forwarded.acceptsTrailers = request.acceptsTrailers
        forwarded.authority.append(request.authority.readable)
        forwarded.target.append(target.path)
        if let query = target.query {
            forwarded.target.append(UInt8(ascii: "?"))
            forwarded.target.append(query)
        }
        let hopByHop = HopByHop(request.fields)
        for index in 0..<request.fields.count where passes(index, hopByHop) {
            forwarded.fields.append(name: request.fields.name(index), value: request.fields.value(index))
        }
        let rule = permit.route.forwarding.authorization
        Self.addAuthorization(rule, of: request, to: &forwarded.fields, scratch: &scratch)
        addIdentity(permit, connection, to: &forwarded.fields)
        if isExtendedConnect, request.upgrade.readable.equals("websocket") {
            forwarded.framing = .none
            forwarded.fields.append(literal: "sec-websocket-key", value: webSocketKey.span)
        }
    }

    /// Issues the token that tells the upstream, and those behind it, what the call is for; nothing where the route
    /// wants none.
    ///
    /// Its scope is what the route asked for, which the grant covers and is often wider than; only where that is long, the
    /// grant.
    fileprivate borrowing func mintTransactionToken(
        _ permit: borrowing Permit, _ connection: ConnectionContext, by minter: TransactionTokenMinter?,
        now: UnixTime
    ) throws(Denial) -> [UInt8]? {
        guard permit.route.forwarding.transactionToken else { return nil }
        var name = ByteQueue()
        identifier.append(to: &name)
        guard let minter, let method = String(validating: request.method.readable),
            let transaction = String(validating: name.readable)
        else { throw Denial(.unavailable, "forward.txn-token") }
        let scope = permit.route.requiredScope(target: target)
        let isLong = scope.utf8.count > Self.longestTold
        let context = TransactionTokenContext(
            transaction: transaction, scope: isLong ? permit.grant?.text ?? "" : scope, route: permit.route.name,
            method: method,
            path: Self.tellablePath(target), clientAddress: Self.host(of: connection.address),
            agent: connection.peer?.spiffeID?.text ?? permit.claims.agent,
            possession: permit.possession.intersection(permit.route.accepted).methods.map(\.rawValue))
        do throws(KeyError) {
            return try minter.mint(claims: permit.claims, context: context, now: now)
        } catch {
            throw Denial(.unavailable, "forward.txn-token")
        }
    }

    /// The most bytes of a path or a scope in a token, which must fit into a field that upstreams take.
    private static var longestTold: Int { 1024 }

    /// The path, but not a long one.
    private static func tellablePath(_ target: borrowing NormalizedTarget) -> String? {
        target.path.count <= longestTold ? String(validating: target.path) : nil
    }

    /// The host of `host:port` or `[v6]:port`, without brackets; nothing of a Unix socket.
    private static func host(of address: String) -> String? {
        guard !address.hasPrefix("unix:"), let colon = address.lastIndex(of: ":"), colon > address.startIndex else {
            return nil
        }
        return String(address[..<colon].filter { $0 != "[" && $0 != "]" })
    }

    /// Whether a client's field goes upstream as it came.
    private borrowing func passes(_ index: Int, _ hopByHop: HopByHop) -> Bool {
        let field = request.fields[index]
        if hopByHop.covers(index, of: request.fields) || FieldHygiene.isRewritten(field.known) { return false }
        if field.known == .tracestate { return trace.isContinued }
        // Over HTTP/2 the key is the gateway's own.
        if isExtendedConnect, request.fields.name(index).equals("sec-websocket-key") { return false }
        return !FieldHygiene.removes(request.fields.name(index))
    }

    private static func addAuthorization(
        _ rule: AuthorizationForwarding, of request: borrowing RequestHead, to fields: inout FieldTable,
        scratch: inout ByteQueue
    ) {
        guard rule != .strip, let line = request.fields.firstIndex(of: .authorization) else { return }
        let value = request.fields.value(line)
        guard rule == .bearer, let space = value.firstIndex(of: UInt8(ascii: " ")) else {
            return fields.append(.authorization, value: value)
        }
        scratch.removeAll()
        scratch.append("Bearer")
        scratch.append(value.extracting(space..<value.count))
        fields.append(.authorization, value: scratch.readable)
    }

    /// Adds what the upstream may believe, since nothing else could have put it there.
    private mutating func addIdentity(
        _ permit: borrowing Permit, _ connection: ConnectionContext, to fields: inout FieldTable
    ) {
        scratch.removeAll()
        identifier.append(to: &scratch)
        fields.append(.xRequestID, value: scratch.readable)
        scratch.removeAll()
        trace.appendParent(to: &scratch)
        fields.append(.traceparent, value: scratch.readable)
        scratch.removeAll()
        scratch.append("for=")
        Self.appendForwardedNode(connection.address, to: &scratch)
        scratch.append(";host=\"")
        scratch.append(request.authority)
        scratch.append("\";proto=https")
        fields.append(.forwarded, value: scratch.readable)
        // RFC 9110 §7.6.3: behind those of the proxies before us.
        fields.append(literal: "via", value: (request.version == .http2 ? "2 sallyport" : "1.1 sallyport").utf8.span)

        let claims = permit.claims
        add("sallyport-agent", claims.agent, to: &fields)
        add("sallyport-issuer", claims.issuer, to: &fields)
        if let tokenID = claims.tokenID { add("sallyport-token-id", tokenID, to: &fields) }
        if let grant = permit.grant { add("sallyport-scope", grant.text, to: &fields) }
        if let task = claims.task { add("sallyport-task", task, to: &fields) }
        if let orchestration = claims.orchestration { add("sallyport-orchestration", orchestration, to: &fields) }
        if let sponsor = claims.sponsor { add("sallyport-sponsor", sponsor, to: &fields) }
        scratch.removeAll()
        scratch.append(decimal: UInt64(claims.delegationDepth))
        fields.append(literal: "sallyport-delegation-depth", value: scratch.readable)
        if permit.route.forwarding.clientCertificate, let peer = connection.peer {
            // RFC 9440 §2.1: a byte sequence of structured fields.
            scratch.removeAll()
            scratch.append(UInt8(ascii: ":"))
            Base64.append(peer.certificate.der, to: &scratch)
            scratch.append(UInt8(ascii: ":"))
            fields.append(literal: "client-cert", value: scratch.readable)
        }
    }

    /// Adds a claim, with bytes that a field must not hold, and `%`, percent-encoded: so the value is unambiguous.
    private mutating func add(_ name: StaticString, _ text: String, to fields: inout FieldTable) {
        scratch.removeAll()
        let bytes = text.utf8.span
        for index in bytes.indices {
            let byte = bytes[index]
            if byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "%") {
                scratch.append(byte)
            } else {
                scratch.append(UInt8(ascii: "%"))
                scratch.append(Hexadecimal.digit(byte >> 4))
                scratch.append(Hexadecimal.digit(byte & 15))
            }
        }
        fields.append(literal: name, value: scratch.readable)
    }

    /// RFC 7239 §6: an address with a port, or IPv6, is quoted; a client without an address is `unknown`.
    private static func appendForwardedNode(_ address: String, to output: inout ByteQueue) {
        guard !address.isEmpty, !address.hasPrefix("unix:") else { return output.append("unknown") }
        output.append(UInt8(ascii: "\""))
        output.append(utf8: address)
        output.append(UInt8(ascii: "\""))
    }
}
