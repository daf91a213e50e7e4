public import Audit
public import Bytes
public import HTTP
import Identity
public import Policy
import Tokens

/// A request that may go to its upstream: cleaned of everything that the client could pass off as ours, our own fields added.
///
/// It is made only from a ``Permit`` and the log's receipt for the record of that permit, so a call that was not judged, or
/// whose record the log does not have, cannot be forwarded: the code would not compile.
public struct ForwardableRequest: ~Copyable {
    /// The name of the upstream that the route leads to.
    public let upstream: String
    private let exchange: Exchange

    /// Prepares the request of `exchange`, which the permit was given for.
    public init(
        _ exchange: Exchange, permit: consuming Permit, receipt: consuming AuditReceipt, connection: ConnectionContext
    ) {
        // The receipt has done its work by being here.
        _ = consume receipt
        self.exchange = exchange
        upstream = permit.route.upstream
        exchange.fillForwarded(permit, connection)
    }

    /// Hands the head to a machine that serialises it.
    public borrowing func withHead<R>(_ body: (borrowing RequestHead) -> R) -> R {
        body(exchange.forwarded)
    }

    /// Whether nothing of the request is lost if it is sent a second time: no content, and a method that is safe to
    /// repeat (RFC 9110 §9.2.2).
    public var isRepeatable: Bool {
        guard exchange.forwarded.framing == .none else { return false }
        let method = exchange.forwarded.method.readable
        return method.equals("GET") || method.equals("HEAD") || method.equals("OPTIONS") || method.equals("TRACE")
            || method.equals("PUT") || method.equals("DELETE")
    }
}

extension Exchange {
    /// Fills the head that goes upstream.
    fileprivate func fillForwarded(_ permit: borrowing Permit, _ connection: ConnectionContext) {
        forwarded.removeAll()
        forwarded.framing = request.framing
        forwarded.method.append(request.method.readable)
        forwarded.authority.append(request.authority.readable)
        forwarded.target.append(target.path)
        if let query = target.query {
            forwarded.target.append(UInt8(ascii: "?"))
            forwarded.target.append(query)
        }
        for index in 0..<request.fields.count where passes(index) {
            forwarded.fields.append(name: request.fields.name(index), value: request.fields.value(index))
        }
        addAuthorization(permit.route.forwarding.authorization)
        addIdentity(permit, connection)
    }

    /// Whether a client's field goes upstream as it came.
    private func passes(_ index: Int) -> Bool {
        let field = request.fields[index]
        if FieldHygiene.isHopByHop(field.known) { return false }
        if field.known == .tracestate { return trace.isContinued }
        if FieldHygiene.removes(request.fields.name(index)) { return false }
        return !isListedInConnection(request.fields.name(index))
    }

    /// Whether a `Connection` field names it (RFC 9110 §7.6.1).
    private func isListedInConnection(_ name: Span<UInt8>) -> Bool {
        var line = request.fields.firstIndex(of: .connection)
        while let index = line {
            if request.fields.value(index).listContains(token: name) { return true }
            line = request.fields.firstIndex(of: .connection, from: index + 1)
        }
        return false
    }

    private func addAuthorization(_ rule: AuthorizationForwarding) {
        guard rule != .strip, let line = request.fields.firstIndex(of: .authorization) else { return }
        let value = request.fields.value(line)
        guard rule == .bearer, let space = value.firstIndex(of: UInt8(ascii: " ")) else {
            return forwarded.fields.append(.authorization, value: value)
        }
        scratch.removeAll()
        scratch.append("Bearer")
        scratch.append(value.extracting(space..<value.count))
        forwarded.fields.append(.authorization, value: scratch.readable)
    }

    /// Adds what the upstream may believe, since nothing else could have put it there.
    private func addIdentity(_ permit: borrowing Permit, _ connection: ConnectionContext) {
        add("x-request-id") { identifier.append(to: &$0) }
        add("traceparent") { trace.appendParent(to: &$0) }
        add("forwarded") { output in
            output.append("for=")
            Self.appendForwardedNode(connection.address, to: &output)
            output.append(";host=\"")
            output.append(request.authority.readable)
            output.append("\";proto=https")
        }
        let claims = permit.claims
        addValue("sallyport-agent", claims.subject)
        addValue("sallyport-issuer", claims.issuer)
        addValue("sallyport-token-id", claims.tokenID)
        if let grant = permit.grant { addValue("sallyport-scope", grant.text) }
        if let task = claims.task { addValue("sallyport-task", task) }
        if let orchestration = claims.orchestration { addValue("sallyport-orchestration", orchestration) }
        if let sponsor = claims.sponsor { addValue("sallyport-sponsor", sponsor) }
        add("sallyport-delegation-depth") { $0.append(decimal: UInt64(claims.delegationDepth)) }
        if permit.route.forwarding.clientCertificate, let peer = connection.peer {
            add("client-cert") { output in
                // RFC 9440 §2.1: a byte sequence of structured fields.
                output.append(UInt8(ascii: ":"))
                Base64.append(peer.certificate.der.span, to: &output)
                output.append(UInt8(ascii: ":"))
            }
        }
    }

    private func add(_ name: StaticString, _ write: (inout ByteQueue) -> Void) {
        scratch.removeAll()
        write(&scratch)
        forwarded.fields.append(literal: name, value: scratch.readable)
    }

    /// Adds a claim. Bytes that a field must not hold, and `%`, are percent-encoded, so that the value is unambiguous.
    private func addValue(_ name: StaticString, _ text: String) {
        add(name) { output in
            let bytes = text.utf8.span
            for index in bytes.indices {
                let byte = bytes[index]
                if byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "%") {
                    output.append(byte)
                } else {
                    output.append(UInt8(ascii: "%"))
                    output.append(Hexadecimal.digit(byte >> 4))
                    output.append(Hexadecimal.digit(byte & 15))
                }
            }
        }
    }

    /// RFC 7239 §6: an address with a port, or IPv6, is quoted; a client without an address is `unknown`.
    private static func appendForwardedNode(_ address: String, to output: inout ByteQueue) {
        guard !address.isEmpty, !address.hasPrefix("unix:") else { return output.append("unknown") }
        output.append(UInt8(ascii: "\""))
        output.append(utf8: address)
        output.append(UInt8(ascii: "\""))
    }
}
