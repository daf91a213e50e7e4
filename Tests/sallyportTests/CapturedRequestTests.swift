import Bytes
import Foundation
import Testing

@testable import sallyport

@Suite("CapturedRequest")
struct CapturedRequestTests {
    private static let absent: @Sendable (String) throws -> [UInt8] = { _ in throw CommandFailure.couldNotRun("absent")
    }

    private func read(_ text: String) throws -> CapturedRequest {
        try CapturedRequest(Array(text.utf8), reading: Self.absent)
    }

    private func head(_ text: String) throws -> String {
        String(decoding: try read(text).head, as: UTF8.self)
    }

    private static let head =
        "GET /a?b HTTP/1.1\r\nHost: localhost:8443\r\nDPoP: x\r\nAccept: 1\r\n\r\n"

    @Test(
        "JSON and YAML, mappings and lists of pairs say the same",
        arguments: [
            #"{"method":"GET","url":"https://localhost:8443/a?b","headers":{"DPoP":"x","Accept":"1"}}"#,
            #"{"method":"GET","url":"https://localhost:8443/a?b","headers":[["DPoP","x"],["Accept","1"]]}"#,
            "method: GET\nurl: https://localhost:8443/a?b\nheaders:\n  DPoP: x\n  Accept: 1\n",
            "method: GET\nurl: https://localhost:8443/a?b\nheaders:\n- [DPoP, x]\n- [Accept, 1]\nlistener: ~\n",
        ])
    func documents(_ text: String) throws {
        #expect(try head(text) == Self.head)
        #expect(try read(text).certificates.isEmpty)
        #expect(try read(text).listener == nil)
    }

    @Test("A field may come twice, in either form", arguments: ["{DPoP: [a, b]}", "[[DPoP, a], [DPoP, b]]"])
    func duplicates(_ headers: String) throws {
        let text = try head("method: GET\nurl: https://h/\nheaders: \(headers)\n")
        #expect(text == "GET / HTTP/1.1\r\nHost: h\r\nDPoP: a\r\nDPoP: b\r\n\r\n")
    }

    @Test("A Host of the capture is kept, and none is added")
    func host() throws {
        let text = try head("method: GET\nurl: https://h/\nheaders: {hOST: other}\n")
        #expect(text == "GET / HTTP/1.1\r\nhOST: other\r\n\r\n")
    }

    @Test(
        "The target is what a client sends of the URL; plain http and user information stay to be judged",
        arguments: [
            ("https://h/a?b#c", "/a?b", "h"), ("https://h#c", "/", "h"), ("https://h?b", "/?b", "h"),
            ("HTTPS://h:1/a", "/a", "h:1"), ("https://[::1]:1", "/", "[::1]:1"), ("http://h/a", "http://h/a", "h"),
            ("https://u@h/a", "https://u@h/a", "u@h"),
        ])
    func target(_ url: String, _ target: String, _ host: String) throws {
        #expect(try head("method: GET\nurl: \"\(url)\"\n") == "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    }

    @Test("Time and listener are read")
    func rest() throws {
        let request = try read("method: GET\nurl: https://h/\ntime: 2026-11-21T01:22:46Z\nlistener: agents\n")
        #expect(request.time == UnixTime(seconds: 1_795_224_166))
        #expect(request.listener == "agents")
    }

    @Test(
        "A head as it went over the wire is taken as it is; an editor's line ends stand for those of the wire",
        arguments: [
            ("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            ("GET /a HTTP/1.1\nHost: h\n\n", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            ("GET /a HTTP/1.1\nHost: h", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            ("POST /a HTTP/1.1\nHost: h\n\nbody\n", "POST /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            ("GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n"),
        ])
    func heads(_ text: String, _ expected: String) throws {
        #expect(try head(text) == expected)
    }

    @Test(
        "What is no request cannot be run, and the error does not repeat it",
        arguments: [
            "", "SECRET", "- SECRET", "a: [SECRET", "{\"method\": \"GET\"}", "method: GET\nurl: /SECRET\n",
            "method: GET\nurl: https://h/\nSECRET: x\n", "method: GET\nurl: \"https://h/ SECRET\"\n",
            "method: GET\nurl: https://h/\nheaders: SECRET\n", "method: GET\nurl: https://h/\nheaders: [[SECRET]]\n",
            "method: GET\nurl: https://h/\nheaders: {DPoP: {a: SECRET}}\n",
            "method: GET\nurl: https://h/\nheaders: {DPoP: \"SECRET\\r\\nX: y\"}\n",
            "method: GET\nurl: https://h/\nheaders: {\":authority\": SECRET}\n",
            "method: GET\nmethod: SECRET\nurl: https://h/\n", "method: GET\nurl: https://h/\ntime: SECRET\n",
            "method: GET\nurl: https://h/\nclient_certificate: SECRET\n",
            "method: GET\nurl: https://h/\nclient_certificate: a\nclient_certificate_file: SECRET\n",
            "GET / HTTP/1.1\nHost: h\n\n-----BEGIN CERTIFICATE-----\nSECRET\n",
        ])
    func refused(_ text: String) throws {
        let failure = #expect(throws: CommandFailure.self) { try read(text) }
        #expect(failure?.status == .couldNotRun)
        #expect(failure?.message?.contains("SECRET") == false)
    }

    @Test("Bytes that are no text are refused")
    func notText() {
        #expect(throws: CommandFailure.self) { try CapturedRequest([0xFF, 0xFE], reading: Self.absent) }
    }

    @Test("A certificate is read from the text, from a file beside it, or from behind a head")
    func certificates() throws {
        let directory = try TemporaryDirectory()
        let setup = TrialSetup(directory: directory.path)
        try setup.write(TrialPlan(), replacing: false)
        let pem = try FileSystem.read("\(directory.path)/agents-ca.pem")
        let inline = String(decoding: pem, as: UTF8.self).replacing("\n", with: "\\n")
        let texts = [
            "{\"method\":\"GET\",\"url\":\"https://h/\",\"client_certificate\":\"\(inline)\"}",
            "method: GET\nurl: https://h/\nclient_certificate_file: agents-ca.pem\n",
            "GET / HTTP/1.1\nHost: h\n\n" + String(decoding: pem, as: UTF8.self),
        ]
        for text in texts {
            let file = "\(directory.path)/request"
            try FileSystem.write(text, to: file, isSecret: false)
            #expect(try CapturedRequest(file: file).certificates.count == 1)
        }
    }
}
