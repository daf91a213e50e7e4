import Bytes
import Configuration
import Cryptography
import Foundation

/// A service that answers each request with what it received: what `sallyport dev upstream` runs.
///
/// One thread a connection; bodies are hashed as they come and never held.
struct EchoService: Sendable {
    private let socket: BlockingSocket

    /// Listens at `address`.
    init(listeningAt address: ListenAddress) throws {
        do throws(BlockingSocket.Failure) {
            socket = try BlockingSocket.listening(at: address)
        } catch {
            throw CommandFailure.couldNotRun("cannot listen at \(address) (\(error.reason)); choose another address")
        }
    }

    /// Serves until the process ends.
    func run() throws -> Never {
        while true {
            let connection: BlockingSocket
            do throws(BlockingSocket.Failure) {
                connection = try socket.accepting()
            } catch {
                throw CommandFailure.couldNotRun("cannot accept connections (\(error.reason)); start it again")
            }
            let thread = Thread {
                guard let engine = try? CryptographicEngine() else { return }
                EchoConnection(connection, engine: engine).serve()
            }
            thread.stackSize = 512 << 10
            thread.start()
        }
    }
}

/// One connection of the echo service.
private struct EchoConnection {
    private let socket: BlockingSocket
    private let hash: SHA256Stream
    private var reader: MessageReader

    init(_ socket: BlockingSocket, engine: CryptographicEngine) {
        self.socket = socket
        hash = engine.makeSHA256()
        reader = MessageReader { try socket.read() }
    }

    /// Answers requests until the client closes or sends something that cannot be read.
    consuming func serve() {
        do {
            while let head = try reader.readHead() {
                guard try answer(head) else { return }
            }
        } catch is MessageReader.Failure {
            let text = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            try? socket.write(text.utf8.span)
        } catch {
            // The client has gone; nobody is left to tell.
        }
    }

    /// Answers one request, and tells whether another may follow on the connection.
    private mutating func answer(_ head: MessageReader.Head) throws -> Bool {
        let parts = head.startLine.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { throw MessageReader.Failure.malformed }
        let framing = try MessageReader.framing(ofRequest: head)
        if head.has("100-continue", in: "expect") { try socket.write("HTTP/1.1 100 Continue\r\n\r\n".utf8.span) }
        var body = EchoBody(hash: hash)
        try reader.readBody(framing) { body.take($0) }
        let isLast = head.has("close", in: "connection") || parts[2] != "HTTP/1.1"
        let wish = EchoWish(target: parts[1])
        let report = body.report(method: parts[0], target: parts[1], fields: head.fields)
        try send(wish, report, isHead: parts[0] == "HEAD", isLast: isLast)
        return !isLast
    }

    private func send(_ wish: EchoWish, _ report: [UInt8], isHead: Bool, isLast: Bool) throws {
        if let delay = wish.delay { Thread.sleep(forTimeInterval: delay) }
        let length = wish.byteCount ?? report.count
        let hasBody = !(wish.status == 204 || wish.status == 304 || wish.status < 200)
        var head = "HTTP/1.1 \(wish.status) \(wish.status == 200 ? "OK" : "Echo")\r\n"
        head += "Content-Type: \(wish.byteCount == nil ? "application/json" : "application/octet-stream")\r\n"
        if hasBody { head += wish.isChunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: \(length)\r\n" }
        if isLast { head += "Connection: close\r\n" }
        try socket.write((head + "\r\n").utf8.span)
        guard hasBody, !isHead else { return }
        var offset = 0
        while offset < length {
            let count = min(length - offset, EchoWish.largestPiece)
            let piece = wish.byteCount == nil ? report[offset..<offset + count] : EchoWish.content(offset, count)
            if wish.isChunked { try socket.write("\(String(count, radix: 16))\r\n".utf8.span) }
            try socket.write(piece.span)
            if wish.isChunked { try socket.write("\r\n".utf8.span) }
            offset += count
        }
        if wish.isChunked { try socket.write("0\r\n\r\n".utf8.span) }
    }
}
