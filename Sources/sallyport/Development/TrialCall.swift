import Bytes
import Configuration
import Cryptography
import TLS

/// One HTTPS call as an agent of a trial set-up.
struct TrialCall {
    /// The agent's certificate and key, or nothing to present none.
    var identity: ServerCertificate?
    /// The token and what proves it, or nothing to send neither.
    var credentials: TrialCredentials?
    /// The method, such as `GET`.
    let method: String
    /// Where to.
    let url: HTTPSURL
    /// Further fields, each as `Name: value`.
    var fields: [String] = []
    /// The body, or nothing for none.
    var body: String?

    /// What came back.
    struct Answer {
        /// The status code.
        let status: Int
        /// The fields.
        let fields: [(name: String, value: String)]
        /// The body.
        let body: [UInt8]
    }

    private static let longestWait = 60

    /// Makes the call, trusting only `authority`; where the gateway wants its nonce repeated, once more with it (RFC 9449 §8).
    func make(trusting authority: [Certificate]) throws -> Answer {
        let answer = try attempt(trusting: authority, nonce: nil)
        guard credentials?.proofKind == .dpop, let nonce = answer.demandedNonce else { return answer }
        return try attempt(trusting: authority, nonce: nonce)
    }

    private func attempt(trusting authority: [Certificate], nonce: String?) throws -> Answer {
        let socket: BlockingSocket
        do throws(BlockingSocket.Failure) {
            socket = try .connecting(to: url.origin.connectHost, port: url.origin.port)
        } catch {
            throw CommandFailure.couldNotRun(
                "cannot connect to \(url.origin) (\(error.reason)); is the gateway running?")
        }
        socket.limitWaiting(seconds: Self.longestWait)
        let request = try request(nonce: nonce, now: SystemClock.now)
        let stream = try TLSStream(socket, trusting: authority, identity: identity, host: url.origin.connectHost)
        try stream.write(Array(request.utf8))
        var reader = MessageReader { try stream.read() }
        do {
            return try readAnswer(&reader)
        } catch is MessageReader.Failure {
            throw CommandFailure.refused("the answer of \(url.origin) cannot be read; is it an HTTP server?")
        }
    }

    private func readAnswer(_ reader: inout MessageReader) throws -> Answer {
        while let head = try reader.readHead() {
            let parts = head.startLine.split(separator: " ", maxSplits: 2)
            guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
                throw MessageReader.Failure.malformed
            }
            // Interim answers come before the one that counts.
            if status < 200 { continue }
            var body: [UInt8] = []
            try reader.readBody(try MessageReader.framing(ofAnswer: head, status: status, method: method)) {
                body.append(contentsOf: Array(copying: $0))
            }
            return Answer(status: status, fields: head.fields, body: body)
        }
        throw CommandFailure.refused(
            "\(url.origin) closed the connection without an answer; see the gateway's audit log")
    }

    /// The whole request.
    func request(nonce: String?, now: UnixTime) throws -> String {
        var text = "\(method) \(url.target) HTTP/1.1\r\n"
        if !fields.contains(where: { $0.lowercased().hasPrefix("host:") }) { text += "Host: \(url.authority)\r\n" }
        let proven = try credentials?.fields(method: method, url: url, nonce: nonce, now: now) ?? []
        for field in proven + fields { text += field + "\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        return text + "Connection: close\r\n\r\n" + (body ?? "")
    }
}

/// An `https` URL, split.
struct HTTPSURL {
    /// Scheme, host and port.
    let origin: Origin
    /// Host and port as written.
    let authority: String
    /// Path and query as written: they are sent as they are, so that odd ones can be tried.
    let target: String

    /// What a proof names: no query, no fragment (RFC 9449 §4.2).
    var withoutQuery: String { "https://\(authority)\(target.prefix { $0 != "?" && $0 != "#" })" }

    /// Splits `text`, or nothing where it is not an `https` URL.
    init?(_ text: String) {
        let scheme = "https://"
        guard text.hasPrefix(scheme) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        authority = String(rest[..<end])
        guard let origin = Origin(scheme + authority) else { return nil }
        self.origin = origin
        let target = rest[end...]
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
    }
}

extension TrialCall.Answer {
    /// The nonce that the next proof must repeat, where that is why the call was refused.
    var demandedNonce: String? {
        guard status == 401 else { return nil }
        let isDemanded = fields.contains {
            $0.name.lowercased() == "www-authenticate" && $0.value.contains("error=\"use_dpop_nonce\"")
        }
        guard isDemanded else { return nil }
        return fields.first { $0.name.lowercased() == "dpop-nonce" }?.value
    }
}

extension Origin {
    /// The host as one connects to it: an IPv6 address without brackets.
    fileprivate var connectHost: String {
        host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    }
}
