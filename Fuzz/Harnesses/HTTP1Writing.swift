import Bytes
import HTTP
import HTTP1

/// Writes messages with the machines.
enum HTTP1Writing {
    /// The bytes that an upstream is sent.
    static func bytes(ofRequest request: HTTP1Message) -> [UInt8] {
        var machine = HTTP1ClientConnection(limits: HTTP1Harness.roomy)
        return send(request, by: &machine)
    }

    /// Writes a request, its content in two pieces, and gives the bytes.
    @discardableResult
    static func send(_ request: HTTP1Message, by machine: inout HTTP1ClientConnection) -> [UInt8] {
        var output = ByteQueue()
        var head = RequestHead()
        request.fill(&head)
        machine.sendHead(head, into: &output)
        for piece in pieces(of: request.content) { machine.sendBody(piece.span, into: &output) }
        let trailers = HTTP1Field.table(of: request.trailers)
        machine.endBody(trailers: trailers, into: &output)
        return Array(copying: output.readable)
    }

    /// The bytes that a client is sent that made `request`; nothing where its machine does not take that for a request.
    static func bytes(ofAnswer answer: HTTP1Message, to request: HTTP1Message) -> [UInt8]? {
        var machine = HTTP1ServerConnection(limits: HTTP1Harness.roomy, bodyLimit: 0)
        var asked = RequestHead()
        let input = bytes(ofRequest: request)
        guard machine.input(input.span, head: &asked) == .request(consumed: input.count, hasBody: false) else {
            return nil
        }
        var output = ByteQueue()
        var head = ResponseHead()
        answer.fill(&head)
        guard answer.status != 101 else {
            machine.switchProtocols(head, into: &output)
            return Array(copying: output.readable)
        }
        machine.sendHead(head, into: &output)
        for piece in pieces(of: answer.content) { machine.sendBody(piece.span, into: &output) }
        let trailers = HTTP1Field.table(of: answer.trailers)
        machine.endBody(trailers: trailers, into: &output)
        return Array(copying: output.readable)
    }

    private static func pieces(of content: [UInt8]) -> [[UInt8]] {
        let middle = content.count / 3
        return [Array(content[..<middle]), Array(content[middle...])]
    }
}
