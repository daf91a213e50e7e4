import Bytes
import Configuration
import Cryptography
import JSON
import TLS

/// Asks a running gateway by its admin API: one request a connection.
struct AdminClient {
    /// What TLS needs, over TCP.
    struct Credentials {
        let authorities: [Certificate]
        let identity: ServerCertificate
    }

    /// What the gateway answered.
    struct Answer {
        let status: Int
        let body: [UInt8]
    }

    private static let longestWait = 90

    let address: ListenAddress
    /// Nothing: the address is a Unix socket.
    let credentials: Credentials?

    /// Asks, and gives an answer that says yes.
    ///
    /// - Parameter json: the content, or nothing for none.
    /// - Throws: a ``CommandFailure`` with what the gateway says to a refusal, or why it could not be asked.
    func ask(_ method: String, _ target: String, json: String? = nil) throws -> Answer {
        let answer = try exchange(method, target, json)
        guard (200..<300).contains(answer.status) else { throw Self.failure(answer) }
        return answer
    }

    /// A refusal in the gateway's own words.
    private static func failure(_ answer: Answer) -> CommandFailure {
        var lines = ["the gateway answered with \(answer.status)"]
        if let document = try? JSONDocument(answer.body.span) {
            if let detail = document.root.member("detail")?.string { lines = [TerminalText.printable(detail)] }
            var faults = document.root.member("faults")?.elements
            while let fault = faults?.next() {
                if let text = fault.string { lines.append(TerminalText.printable(text)) }
            }
        }
        let message = lines.joined(separator: "\n")
        return answer.status >= 500 ? .couldNotRun(message) : .refused(message)
    }

    private func exchange(_ method: String, _ target: String, _ json: String?) throws -> Answer {
        let socket = try connect()
        socket.limitWaiting(seconds: Self.longestWait)
        let request = Array(Self.request(method, target, json).utf8)
        guard case .ip(let host, _) = address, let credentials else {
            do { try socket.write(request.span) } catch { throw broken(error) }
            return try readAnswer(MessageReader { try read(socket) }, method)
        }
        let stream = try TLSStream(
            socket, trusting: credentials.authorities, identity: credentials.identity, host: host)
        try stream.write(request)
        return try readAnswer(MessageReader { try stream.read() }, method)
    }

    private static func request(_ method: String, _ target: String, _ json: String?) -> String {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: sallyport\r\nConnection: close\r\n"
        if let json { text += "Content-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n" }
        return text + "\r\n" + (json ?? "")
    }

    private func connect() throws -> BlockingSocket {
        do throws(BlockingSocket.Failure) {
            switch address {
            case .unix(let path): return try .connecting(toPath: path)
            case .ip(let host, let port): return try .connecting(to: host, port: port)
            }
        } catch {
            throw CommandFailure.couldNotRun(
                "the gateway cannot be reached at \(address) (\(error.reason)); does it run, and may this user ask it?")
        }
    }

    private func read(_ socket: BlockingSocket) throws -> [UInt8] {
        do { return try socket.read() } catch { throw broken(error) }
    }

    private func broken(_ error: BlockingSocket.Failure) -> CommandFailure {
        .couldNotRun("the connection to \(address) broke (\(error.reason)); see the gateway's log before you ask again")
    }

    private func readAnswer(_ reader: MessageReader, _ method: String) throws -> Answer {
        var reader = reader
        do {
            while let head = try reader.readHead() {
                let parts = head.startLine.split(separator: " ", maxSplits: 2)
                guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else { break }
                if status < 200 { continue }
                var body: [UInt8] = []
                try reader.readBody(try MessageReader.framing(ofAnswer: head, status: status, method: method)) {
                    body.append(contentsOf: Array(copying: $0))
                }
                return Answer(status: status, body: body)
            }
        } catch is MessageReader.Failure {}
        throw CommandFailure.couldNotRun(
            "\(address) gave no answer that can be read; is it a gateway's, and what does its log say?")
    }
}
