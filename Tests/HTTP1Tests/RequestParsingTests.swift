import HTTP
import HTTP1
import Testing

/// A request that is accepted, for rules to be broken in one thing.
func request(
    line: String = "GET / HTTP/1.1", host: String = "host: a\r\n", _ fields: String = "", body: String = ""
) -> String {
    "\(line)\r\n\(host)\(fields)\r\n\(body)"
}

/// The events of `input`, which must not depend on the size of the pieces in which it arrives.
func requestEvents(_ input: String, limits: HeadLimits = roomy, bodyLimit: UInt64 = 0) -> [Event] {
    let whole = serve(input, limits: limits, bodyLimit: bodyLimit)
    for size in [1, 2, 7] {
        let pieces = serve(input, by: size, limits: limits, bodyLimit: bodyLimit)
        #expect(pieces == whole, "in pieces of \(size): \(input.debugDescription)")
    }
    return whole
}

@Suite("The head of a request")
struct RequestParsingTests {
    @Test(
        "A target comes in one of four forms and is taken in one",
        arguments: [
            ("GET /a/b?c HTTP/1.1", "/a/b?c", "a"), ("GET //x HTTP/1.1", "//x", "a"),
            ("GET http://a/b?c HTTP/1.1", "/b?c", "a"), ("GET HTTPS://A HTTP/1.1", "/", "A"),
            ("GET https://a?q HTTP/1.1", "/?q", "a"), ("OPTIONS * HTTP/1.1", "*", "a"),
            ("OPTIONS https://a HTTP/1.1", "*", "a"), ("OPTIONS https://a/ HTTP/1.1", "/", "a"),
            ("OPTIONS https://a?q HTTP/1.1", "/?q", "a"), ("OPTIONS / HTTP/1.1", "/", "a"),
        ])
    func targets(line: String, target: String, authority: String) {
        let method = line.hasPrefix("OPTIONS") ? "OPTIONS" : "GET"
        let expected = RequestText(method: method, target: target, authority: authority)
        #expect(requestEvents(request(line: line)) == [.request(expected, hasBody: false)])
    }

    @Test(
        "A request line that breaks a rule is refused",
        arguments: [
            ("CONNECT a:443 HTTP/1.1", .connect), ("GET * HTTP/1.1", .target), ("GET a HTTP/1.1", .target),
            ("GET ftp://a/ HTTP/1.1", .target), ("GET http:/a HTTP/1.1", .target), ("GET https:// HTTP/1.1", .target),
            ("GET ?a HTTP/1.1", .target), ("GET /a\tb HTTP/1.1", .target), ("GET /é HTTP/1.1", .target),
            ("GET /\u{0} HTTP/1.1", .requestLine), ("GET /\u{7f} HTTP/1.1", .requestLine),
            ("OPTIONS ** HTTP/1.1", .target),
            ("GET  / HTTP/1.1", .requestLine), ("GET /  HTTP/1.1", .requestLine), ("GET /a b HTTP/1.1", .requestLine),
            ("GET / HTTP/1.1 ", .requestLine), ("GET /", .requestLine), ("GET", .requestLine), ("GET ", .requestLine),
            (" GET / HTTP/1.1", .method), ("G@T / HTTP/1.1", .method), ("GET\t/ HTTP/1.1", .method),
            ("\u{16}\u{3}\u{1} / HTTP/1.1", .requestLine), ("GÉT / HTTP/1.1", .method), ("GE:T / HTTP/1.1", .method),
            ("GET / HTTP/2.0", .version), ("GET / HTTP/0.9", .version), ("GET / http/1.1", .version),
            ("GET / HTTP/1.2", .version), ("GET / HTTP/1.10", .version), ("GET / HTTP/11", .version),
            ("GET / HTTP/1,1", .version), ("GET / ", .version), ("GET / HTTP/01.1", .version),
            ("PRI * HTTP/2.0", .version), ("GET / HTTP/1.1\r", .lineEnding), ("GET /\r HTTP/1.1", .lineEnding),
            ("\rGET / HTTP/1.1", .lineEnding), ("GET / HTTP/1.1\nhost: b", .lineEnding),
            ("\r\n\r\nGET / HTTP/1.1", .requestLine), ("\nGET / HTTP/1.1", .lineEnding),
            ("GET https://u@a/ HTTP/1.1", .authority), ("GET https://b/ HTTP/1.1", .authority),
            ("GET https:///a HTTP/1.1", .authority), ("GET https://a:/ HTTP/1.1", .authority),
            ("GET https://a:443/ HTTP/1.1", .authority), ("GET https://a#/ HTTP/1.1", .authority),
        ] as [(String, MessageFault)])
    func badRequestLines(line: String, fault: MessageFault) {
        #expect(requestEvents(request(line: line)) == [.fault(fault)])
    }

    @Test("One empty line before each request is forgiven", arguments: ["", "\r\n"])
    func emptyLine(between: String) {
        let twice = requestEvents(request() + request())
        #expect(twice.count == 2)
        #expect(requestEvents("\r\n" + request() + between + request()) == twice)
    }

    @Test("Any token is a method", arguments: ["get", "M-SEARCH", "!#$%&'*+-.^_`|~9", "X", "OPTIONSX", "CONNECTED"])
    func methods(method: String) {
        let expected = RequestText(method: method)
        #expect(requestEvents(request(line: "\(method) / HTTP/1.1")) == [.request(expected, hasBody: false)])
    }

    @Test(
        "A Host that is one valid authority is taken",
        arguments: [
            ("HOST:a\r\n", "a"), ("host: \t a:8443 \t\r\n", "a:8443"), ("hOsT:[::1]:1\r\n", "[::1]:1"),
        ])
    func hosts(line: String, authority: String) {
        let expected = RequestText(authority: authority, fields: [Line("x", "1")])
        #expect(requestEvents(request(host: line, "x: 1\r\n")) == [.request(expected, hasBody: false)])
    }

    @Test(
        "A Host that is missing, repeated or invalid is refused",
        arguments: [
            "", "host:\r\n", "host: \r\n", "host: a\r\nhost: a\r\n", "host: a\r\nx: 1\r\nHost: b\r\n", "host: a, b\r\n",
            "host: u@a\r\n", "host: a b\r\n", "host: a:\r\n", "host: a:x\r\n", "host: a/\r\n", "host: https://a\r\n",
            "hosts: a\r\n",
        ])
    func badHosts(line: String) {
        #expect(requestEvents(request(host: line)) == [.fault(.host)])
    }

    @Test("HTTP/1.0 needs no Host, and stays open only when it asks")
    func version10() {
        let line = "GET / HTTP/1.0"
        var expected = RequestText(authority: "", version: .http10, keepsAlive: false)
        #expect(requestEvents(request(line: line, host: "")) == [.request(expected, hasBody: false), .waiting])
        #expect(requestEvents(request(line: line, host: "host:\r\n")) == [.fault(.host)])
        expected.authority = "a"
        expected.keepsAlive = true
        expected.fields = [Line("connection", "Keep-Alive")]
        let open = request(line: line, "Connection: Keep-Alive\r\n")
        #expect(requestEvents(open) == [.request(expected, hasBody: false)])
        expected.fields.append(Line("connection", "close"))
        expected.keepsAlive = false
        let closed = request(line: line, "Connection: Keep-Alive\r\nConnection: close\r\n")
        #expect(requestEvents(closed) == [.request(expected, hasBody: false), .waiting])
        let absolute = requestEvents(request(line: "GET http://b/c HTTP/1.0", host: ""))
        let named = RequestText(target: "/c", authority: "b", version: .http10, keepsAlive: false)
        #expect(absolute == [.request(named, hasBody: false), .waiting])
    }

    @Test(
        "A field line is taken as it means",
        arguments: [
            ("X-A:1\r\n", "x-a", "1"), ("x: \t a b\tc \t\r\n", "x", "a b\tc"), ("x:\r\n", "x", ""),
            ("x: \r\n", "x", ""),
            ("x: a:b\r\n", "x", "a:b"), ("!#$%&'*+-.^_`|~: v\r\n", "!#$%&'*+-.^_`|~", "v"),
            ("x: \u{e9}\u{80}\u{ff}\r\n", "x", "\u{e9}\u{80}\u{ff}"), ("x: ,\"\r\n", "x", ",\""),
            ("x:12345678\r\n", "x", "12345678"), ("x:1234567890abcdef\u{ff}\t~ \r\n", "x", "1234567890abcdef\u{ff}\t~"),
        ])
    func fields(line: String, name: String, value: String) {
        let expected = RequestText(fields: [Line(name, value)])
        #expect(requestEvents(request(line)) == [.request(expected, hasBody: false)])
        #expect(requestEvents(request(host: "", line + "host: a\r\n")) == [.request(expected, hasBody: false)])
    }

    @Test(
        "A field line that breaks a rule is refused",
        arguments: [
            ("x : 1\r\n", .fieldName), ("x\t: 1\r\n", .fieldName), (": 1\r\n", .fieldName), ("x(): 1\r\n", .fieldName),
            ("é: 1\r\n", .fieldName), ("x\u{0}: 1\r\n", .fieldName), ("\u{b}: 1\r\n", .fieldName),
            ("a b: 1\r\n", .fieldName),
            ("x\r\n", .fieldLine), ("x: 1\r\n y\r\n", .fieldLine), ("x: 1\r\n\ty\r\n", .fieldLine),
            ("x: 1\r\n \r\n", .fieldLine), ("x: 1\r\n : 2\r\n", .fieldLine),
            ("x: 1\u{0}\r\n", .fieldValue), ("x: \u{1}1\r\n", .fieldValue), ("x: 1\u{b}\r\n", .fieldValue),
            ("x: 1\u{7f}\r\n", .fieldValue), ("x: \u{1b}[0m\r\n", .fieldValue),
            ("x: 12345678\u{1f}90\r\n", .fieldValue),
            ("x: 1\ry: 2\r\n", .lineEnding), ("x: 1\r\r\n", .lineEnding), ("x: 1\ny: 2\r\n", .lineEnding),
            ("x\ry: 1\r\n", .lineEnding), ("x\n: 1\r\n", .lineEnding), ("\rx: 1\r\n", .lineEnding), ("\n", .lineEnding),
        ] as [(String, MessageFault)])
    func badFields(line: String, fault: MessageFault) {
        #expect(requestEvents(request(line)) == [.fault(fault)])
        #expect(requestEvents(request(line + "y: 2\r\n")) == [.fault(fault)])
    }

    @Test(
        "What can never become a line is refused before the line has ended", arguments: ["\u{16}", "GET /\u{0}", "G\n"])
    func refusesEarly(input: String) {
        #expect(requestEvents(input).count == 1)
        #expect(requestEvents(String(input.dropLast())) == [])
    }

    @Test("White space before the first field line is refused")
    func leadingWhiteSpace() {
        #expect(requestEvents("GET / HTTP/1.1\r\n host: a\r\n\r\n") == [.fault(.fieldLine)])
    }

    @Test(
        "Options of Connection are a list of tokens in any number of lines",
        arguments: [
            ("connection: close\r\n", false), ("connection: x, CLOSE ,y\r\n", false), ("connection: ,close\r\n", false),
            ("connection: x\r\nconnection: close\r\n", false), ("connection: keep-alive, close\r\n", false),
            ("connection: closed\r\n", true), ("connection: keep-alive\r\n", true), ("connection:\r\n", true),
            ("connection: te, upgrade\r\n", true), ("x: close\r\n", true),
        ])
    func connectionOptions(fields: String, keepsAlive: Bool) {
        let events = requestEvents(request(fields))
        guard case .request(let head, hasBody: false) = events.first else {
            Issue.record("refused: \(events)")
            return
        }
        #expect(head.keepsAlive == keepsAlive)
        #expect((events.last == .waiting) == !keepsAlive)
    }

    @Test(
        "A connection option that is no token is refused", arguments: ["a b", "\"close\"", "close;q=1", "clos\u{e9}"])
    func badConnectionOptions(option: String) {
        #expect(requestEvents(request("connection: \(option)\r\n")) == [.fault(.fieldValue)])
    }

    @Test("A request line of the limit's length passes, one byte more does not")
    func requestLineLimit() {
        let limits = HeadLimits(bytes: 40, count: 3)
        let fitting = "GET /" + String(repeating: "a", count: 24) + " HTTP/1.1"
        #expect(requestEvents(request(line: fitting), limits: limits).first != .fault(.targetTooLong))
        #expect(requestEvents(request(line: fitting + "1"), limits: limits) == [.fault(.targetTooLong)])
        let endless = String(repeating: "a", count: 41)
        #expect(requestEvents(endless, limits: limits) == [.fault(.targetTooLong)])
        #expect(requestEvents(String(endless.dropLast()), limits: limits) == [])
    }

    @Test("Fields of the limits' size and number pass, more do not")
    func fieldLimits() {
        let limits = HeadLimits(bytes: 40, count: 3)
        // 9 for the host, 2 for the empty line.
        let fitting = "x: " + String(repeating: "a", count: 24) + "\r\n"
        #expect(requestEvents(request(fitting), limits: limits).count == 1)
        #expect(requestEvents(request(fitting), limits: limits).first != .fault(.fieldsTooLarge))
        #expect(requestEvents(request("x" + fitting), limits: limits) == [.fault(.fieldsTooLarge)])
        let endless = "GET / HTTP/1.1\r\n" + String(repeating: "a", count: 41)
        #expect(requestEvents(endless, limits: limits) == [.fault(.fieldsTooLarge)])
        #expect(requestEvents(String(endless.dropLast()), limits: limits) == [])
        let three = RequestText(fields: [Line("x", ""), Line("y", "")])
        #expect(requestEvents(request("x:\r\ny:\r\n"), limits: limits) == [.request(three, hasBody: false)])
        #expect(requestEvents(request("x:\r\ny:\r\nz:\r\n"), limits: limits) == [.fault(.tooManyFields)])
    }
}
