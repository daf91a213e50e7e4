import Audit
import Bytes
import Cryptography
import HTTP
import Identity
import JSON
import Policy
import Support
import Testing
import Tokens

@testable import Exchange

/// What the upstream is sent, copied out of a request.
struct Forwarded {
    var method = ""
    var target = ""
    var authority = ""
    var framing = BodyFraming.none
    var lines: [String] = []
    var upstream = ""
    var isRepeatable = false

    func values(_ name: String) -> [String] {
        lines.filter { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }
}

@Suite("A request that may be forwarded")
struct ForwardableRequestTests {
    /// What a request without any fields of its own is forwarded with.
    private static let added = [
        "x-request-id: \(Trial.identifierText)",
        "traceparent: 00-000000000000000a000000000000000b-000000000000000d-00",
        "forwarded: for=\"192.0.2.1:51234\";host=\"localhost:8443\";proto=https", "via: 1.1 sallyport",
        "sallyport-agent: \(Broker.subject)", "sallyport-issuer: \(Broker.issuer)", "sallyport-token-id: t-1",
        "sallyport-scope: read:orders:7", "sallyport-delegation-depth: 0",
    ]

    /// What becomes of an allowed request with some fields, and a token with some claims changed.
    private func forward(
        _ method: String = "GET", _ target: String = "/orders/7", _ fields: [(String, String)] = [],
        claims: [String: String?] = [:], authorization: AuthorizationForwarding = .strip,
        clientCertificate: Bool = false, scheme: String = "Bearer", framing: BodyFraming = .none,
        address: String = "192.0.2.1:51234"
    ) throws -> Forwarded {
        let trial = try Trial.standard()
        let rule = ForwardingRule(authorization: authorization, clientCertificate: clientCertificate)
        let snapshot = try trial.snapshot(Trial.route(forwarding: rule))
        let connection = trial.connection(peer: trial.peer, address: address)
        let token = ("Authorization", "\(scheme) \(try trial.token(claims))")
        var exchange = Trial.exchange(method, target, fields + [token])
        exchange.request.framing = framing
        let permit = try trial.judge(&exchange, from: connection, under: snapshot)
        let request = try ForwardableRequest(
            &exchange, permit: permit, receipt: try Trial.receipt(), connection: connection, now: Broker.now)
        return Forwarded(
            method: text(request.head.method), target: text(request.head.target),
            authority: text(request.head.authority), framing: request.head.framing,
            lines: lines(request.head.fields), upstream: request.upstream, isRepeatable: request.isRepeatable)
    }

    private func line(_ field: (String, String)) -> String { "\(field.0.lowercased()): \(field.1)" }

    @Test("Method, authority and target go as they were judged, and our fields come last")
    func plain() throws {
        let forwarded = try forward()
        #expect(forwarded.upstream == "orders")
        #expect(forwarded.method == "GET")
        #expect(forwarded.authority == Trial.authority)
        #expect(forwarded.target == "/orders/7")
        #expect(forwarded.framing == .none)
        #expect(forwarded.lines == Self.added)
    }

    @Test(
        "33: The upstream gets the normalised path, and the query as it came",
        arguments: [
            ("/orders/./7", "/orders/7"), ("/x/../orders/%37", "/orders/7"), ("/orders/7?", "/orders/7?"),
            ("/orders/7?a=%2F&b=%61", "/orders/7?a=%2F&b=%61"), ("/orders/7?a?b", "/orders/7?a?b"),
        ])
    func target(came: String, goes: String) throws {
        #expect(try forward("GET", came).target == goes)
    }

    @Test("End-to-end fields go as they came, in their order")
    func endToEnd() throws {
        let fields = [
            ("Accept", "text/html, */*;q=0.1"), ("Cookie", "a=b; c=d"), ("X-Empty", ""), ("X-Twice", "one"),
            ("X-Twice", "two"), ("X_Underscore", "kept"), ("Client-Hints", "x"), ("X-Bytes", "!\"#%\t~"),
        ]
        #expect(try forward("GET", "/orders/7", fields).lines == fields.map(line) + Self.added)
    }

    @Test(
        "H1, 31: No field of credentials or identity goes, in whatever spelling",
        // Two Authorization or DPoP fields are refused before.
        arguments: FieldHygieneTests.removed.filter { $0 != "Authorization" && $0 != "DPoP" })
    func stripped(name: String) throws {
        let underscored = String(name.map { $0 == "-" ? "_" : $0 })
        let fields = [(name, "evil"), (underscored, "evil"), (name.uppercased(), "evil"), ("X-Kept", "honest")]
        #expect(try forward("GET", "/orders/7", fields).lines == ["x-kept: honest"] + Self.added)
    }

    @Test("Hop-by-hop fields, and those that Connection lists, stay behind")
    func hopByHop() throws {
        let fields = [
            ("Connection", "keep-alive, X-Hop"), ("Keep-Alive", "5"), ("TE", "trailers"), ("Trailer", "x"),
            ("Upgrade", "h2c"), ("Proxy-Connection", "x"), ("Transfer-Encoding", "chunked"), ("X-Hop", "1"),
            ("x-hop", "2"), ("HTTP2-Settings", "x"), ("Expect", "100-continue"), ("Content-Length", "5"),
            ("X-Kept", "3"),
        ]
        #expect(try forward("GET", "/orders/7", fields).lines == ["x-kept: 3"] + Self.added)
        #expect(try forward("GET", "/orders/7", [("X-Hop", "1")]).lines == ["x-hop: 1"] + Self.added)
    }

    @Test(
        "30: Connection cannot take away what the gateway says, nor what it judged",
        arguments: [
            "authorization", "client-cert", "forwarded", "host", "sallyport-agent", "sallyport-scope", "traceparent",
            "x-request-id", "content-length", "dpop",
        ])
    func nominated(name: String) throws {
        let forwarded = try forward(
            "POST", "/orders/7", [("Connection", "close, \(name)")], authorization: .keep, clientCertificate: true,
            framing: .length(5))
        #expect(forwarded.framing == .length(5))
        #expect(forwarded.authority == Trial.authority)
        #expect(Self.added.allSatisfy { forwarded.lines.contains($0) })
        #expect(forwarded.values("authorization").count == 1)
        #expect(forwarded.values("client-cert").count == 1)
        #expect(forwarded.lines.count == Self.added.count + 2)
    }

    @Test("The Authorization field goes as the route says", arguments: ["Bearer", "bearer", "BEARER"])
    func authorization(scheme: String) throws {
        #expect(try forward(authorization: .strip, scheme: scheme).values("authorization") == [])
        let kept = try forward(authorization: .keep, scheme: scheme).values("authorization")
        #expect(kept.count == 1)
        #expect(kept.allSatisfy { $0.hasPrefix(scheme + " ey") })
        let bearer = try forward(authorization: .bearer, scheme: scheme).values("authorization")
        #expect(bearer.count == 1)
        #expect(bearer.allSatisfy { $0.hasPrefix("Bearer ey") && $0.split(separator: ".").count == 3 })
    }

    @Test(
        "H2: The client's certificate goes as RFC 9440 writes it where the route says so, and the client's word never")
    func clientCertificate() throws {
        let trial = try Trial.standard()
        let fields = [("Client-Cert", ":ZXZpbA==:"), ("client_cert", ":ZXZpbA==:"), ("Client-Cert-Chain", "x")]
        let told = try forward("GET", "/orders/7", fields, clientCertificate: true)
        var expected = ByteQueue()
        Base64.append(trial.peer.certificate.der, to: &expected)
        #expect(told.lines == Self.added + ["client-cert: :\(text(expected)):"])
        #expect(try forward("GET", "/orders/7", fields, clientCertificate: false).lines == Self.added)
    }

    @Test("The claims that are known are told, each in its own field")
    func claims() throws {
        let lines = try forward(claims: [
            "task_id": #""task-1""#, "orchestration_id": #""orchestration-1""#, "sponsor": #""someone@example.test""#,
        ]).lines
        #expect(
            lines == Self.added.dropLast() + [
                "sallyport-task: task-1", "sallyport-orchestration: orchestration-1",
                "sallyport-sponsor: someone@example.test", "sallyport-delegation-depth: 0",
            ])
    }

    /// What an upstream is sent of a call whose route wants a transaction token, or does not.
    private func forward(
        wantsToken: Bool, by minter: TransactionTokenMinter?, path: String = "/orders/7",
        fields: [(String, String)] = [], address: String = "192.0.2.1:51234", claims: [String: String?] = [:]
    ) throws -> Forwarded {
        let trial = try Trial.standard()
        let rule = ForwardingRule(authorization: .strip, clientCertificate: false, transactionToken: wantsToken)
        let connection = trial.connection(peer: trial.peer, address: address)
        var exchange = Trial.exchange(
            "GET", path, fields + [("Authorization", "Bearer \(try trial.token(claims))")])
        let permit = try trial.judge(
            &exchange, from: connection, under: trial.snapshot(Trial.route(forwarding: rule)))
        let request = try ForwardableRequest(
            &exchange, permit: permit, receipt: try Trial.receipt(), connection: connection, minter: minter,
            now: Broker.now)
        return Forwarded(lines: lines(request.head.fields))
    }

    private func minter() throws -> TransactionTokenMinter {
        let settings = TransactionTokenSettings(
            key: try PrivateKey.generate(.ellipticCurve(.p256)), issuer: "https://gateway.example.test",
            trustDomain: "internal.example.test", workload: "spiffe://example.test/gateway", lifetime: .seconds(60))
        return TransactionTokenMinter(settings: try #require(settings))
    }

    /// The claims of the only transaction token of a request, as written.
    private func transaction(of forwarded: Forwarded) throws -> [String: String] {
        #expect(forwarded.lines.dropLast() == Self.added[...])
        let values = forwarded.values("txn-token")
        #expect(values.count == 1)
        let jws = try CompactJWS(try #require(values.first).utf8.span)
        let document = try JSONDocument(jws.payload.span)
        var claims: [String: String] = [:]
        var members = document.root.members
        while let member = members.next() { claims[text(member.name)] = text(member.value.raw) }
        return claims
    }

    @Test("A route that wants a transaction token sends one of its own: about this call, for what it asked")
    func transactionToken() throws {
        let fields = [("Txn-Token", "evil"), ("txn_token", "evil")]
        let forwarded = try forward(wantsToken: true, by: minter(), path: "/x/../orders/7?a=b", fields: fields)
        let claims = try transaction(of: forwarded)
        #expect(claims["txn"] == "\"\(Trial.identifierText)\"")
        #expect(claims["sub"] == "\"\(Broker.subject)\"")
        #expect(claims["aud"] == #""internal.example.test""#)
        #expect(claims["scope"] == #""read:orders:7""#)
        #expect(claims["exp"] == "1800000060")
        #expect(claims["tctx"] == #"{"route":"read-order","method":"GET","path":"/orders/7"}"#)
        #expect(
            claims["rctx"]
                == #"{"agent":"\#(Broker.subject)","req_ip":"192.0.2.1","possession":["certificate"]}"#)
        #expect(try forward(wantsToken: false, by: minter(), fields: fields).lines == Self.added)
        #expect(try forward(wantsToken: false, by: nil, fields: fields).lines == Self.added)
    }

    @Test("Its scope is what the route asked for, not the wider grant")
    func transactionScope() throws {
        let claims = ["scope": #""read:orders:*""#]
        let forwarded = try forward(wantsToken: true, by: minter(), claims: claims)
        #expect(forwarded.values("sallyport-scope") == ["read:orders:*"])
        let jws = try CompactJWS(try #require(forwarded.values("txn-token").first).utf8.span)
        #expect(String(decoding: jws.payload, as: UTF8.self).contains(#""scope":"read:orders:7""#))
    }

    @Test(
        "It names the client's address without port, and none of a Unix socket",
        arguments: [("[2001:db8::1]:443", #""req_ip":"2001:db8::1""#), ("unix:/run/a:1", nil), ("", nil)])
    func transactionAddress(address: String, told: String?) throws {
        let value = try forward(wantsToken: true, by: minter(), address: address).values("txn-token").first
        let jws = try CompactJWS(try #require(value).utf8.span)
        let payload = String(decoding: jws.payload, as: UTF8.self)
        #expect(payload.contains("req_ip") == (told != nil))
        if let told { #expect(payload.contains(told)) }
    }

    @Test("A long path is not told, and the grant stands for what was asked", arguments: [(1016, true), (1017, false)])
    func longPath(length: Int, isTold: Bool) throws {
        let name = String(repeating: "x", count: length)
        let claims = ["scope": #""read:orders:*""#]
        let value = try forward(wantsToken: true, by: minter(), path: "/orders/" + name, claims: claims)
            .values("txn-token").first
        let jws = try CompactJWS(try #require(value).utf8.span)
        let payload = String(decoding: jws.payload, as: UTF8.self)
        #expect(payload.contains(#""path":"/orders/"#) == isTold)
        #expect(payload.contains(#""scope":"read:orders:*""#))
        #expect(value.map { $0.utf8.count < 4096 } == true)
    }

    @Test("Where a token is wanted and nobody can issue it, nothing is forwarded")
    func noMinter() throws {
        #expect(throws: Denial(.unavailable, "forward.txn-token")) { try forward(wantsToken: true, by: nil) }
        #expect(try forward(wantsToken: true, by: minter()).values("txn-token").count == 1)
    }

    @Test("The grant that matched is told, as the token has it")
    func grant() throws {
        let scope = #""read:orders:70 read:orders:* read:orders:7""#
        #expect(try forward(claims: ["scope": scope]).values("sallyport-scope") == ["read:orders:*"])
    }

    @Test(
        "A claim is percent-encoded where a field could not hold it",
        arguments: [
            (#""søster""#, "s%c3%b8ster"), (#""a b""#, "a%20b"), (#""100%""#, "100%25"), (#""%20""#, "%2520"),
            (#""a,\"b\"""#, "a,\"b\""), (#""日""#, "%e6%97%a5"),
        ])
    func encoding(claim: String, told: String) throws {
        #expect(try forward(claims: ["sponsor": claim]).values("sallyport-sponsor") == [told])
    }

    @Test("A trace is continued with its state, and a state without a trace is dropped")
    func trace() throws {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let state = [("tracestate", "a=b"), ("tracestate", "c=d")]
        let continued = try forward("GET", "/orders/7", [("traceparent", parent)] + state)
        #expect(continued.values("traceparent") == ["00-0af7651916cd43dd8448eb211c80319c-000000000000000d-01"])
        #expect(continued.values("tracestate") == ["a=b", "c=d"])
        let malformed = try forward("GET", "/orders/7", [("traceparent", parent + "x")] + state)
        #expect(malformed.lines == Self.added)
        #expect(try forward("GET", "/orders/7", state).lines == Self.added)
        let twice = try forward("GET", "/orders/7", [("traceparent", parent), ("Traceparent", parent)] + state)
        #expect(twice.lines == Self.added)
    }

    @Test(
        "Forwarded tells of this hop, with the client's address quoted (RFC 7239 §6)",
        arguments: [
            ("192.0.2.1:51234", "\"192.0.2.1:51234\""), ("[2001:db8::1]:5", "\"[2001:db8::1]:5\""),
            ("unix:", "unknown"), ("unix:/run/a\"b", "unknown"), ("", "unknown"),
        ])
    func node(address: String, node: String) throws {
        let forwarded = try forward("GET", "/orders/7", [("Forwarded", "for=6.6.6.6")], address: address)
        #expect(forwarded.values("forwarded") == ["for=\(node);host=\"localhost:8443\";proto=https"])
    }

    @Test("Content is framed as it came", arguments: [BodyFraming.none, .length(5), .streamed])
    func framing(framing: BodyFraming) throws {
        #expect(try forward("POST", framing: framing).framing == framing)
    }

    @Test("Only what is idempotent and has no content may be sent twice")
    func repeatable() throws {
        #expect(try forward("GET").isRepeatable)
        #expect(try forward("PUT").isRepeatable)
        #expect(try !forward("POST").isRepeatable)
        #expect(try !forward("PUT", framing: .length(1)).isRepeatable)
        #expect(try !forward("GET", framing: .streamed).isRepeatable)
    }

    @Test("An exchange that is used again keeps nothing of the request before")
    func recycled() throws {
        let trial = try Trial.standard()
        let connection = trial.connection(peer: trial.peer)
        let snapshot = try trial.snapshot()
        var exchange = Trial.exchange(
            "PUT", "/orders/7?a", [("X-First", "1"), ("Authorization", "Bearer \(try trial.token())")])
        exchange.request.framing = .streamed
        let first = try trial.judge(&exchange, from: connection, under: snapshot)
        let forwarded = try ForwardableRequest(
            &exchange, permit: first, receipt: try Trial.receipt(), connection: connection, now: Broker.now)
        exchange.recycle(forwarded)
        exchange.reset()
        exchange.request.method.append("GET")
        exchange.request.target.append("/orders/7")
        exchange.request.authority.append(utf8: Trial.authority)
        exchange.request.fields.append(.authorization, value: "Bearer \(try trial.token())".utf8.span)
        exchange.begin(
            identifier: Trial.identifier, traceWords: (0xa, 0xb, 0xd), now: MonotonicTime(nanoseconds: 6))
        let second = try trial.judge(&exchange, from: connection, under: snapshot)
        let request = try ForwardableRequest(
            &exchange, permit: second, receipt: try Trial.receipt(), connection: connection, now: Broker.now)
        let (method, target, sent) = (text(request.head.method), text(request.head.target), lines(request.head.fields))
        let framing = request.head.framing
        #expect(method == "GET")
        #expect(target == "/orders/7")
        #expect(framing == .none)
        #expect(sent == Self.added)
    }
}
