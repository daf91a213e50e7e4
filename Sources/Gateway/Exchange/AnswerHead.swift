public import Bytes
public import HTTP

extension Exchange {
    /// Fills the head of the answer that the client gets from the one that the upstream gave.
    ///
    /// - Parameters:
    ///   - answer: as the upstream's machine understood it.
    ///   - head: is emptied and filled: fields of one connection left out, our request id added.
    public mutating func fill(_ head: inout ResponseHead, from answer: borrowing ResponseHead) {
        head.removeAll()
        head.status = answer.status
        head.framing = answer.framing
        for index in 0..<answer.fields.count where Self.passes(answer, index) {
            head.fields.append(name: answer.fields.name(index), value: answer.fields.value(index))
        }
        addRequestIdentifier(to: &head)
    }

    /// Adds `x-request-id`: every answer bears it, allowed or not.
    mutating func addRequestIdentifier(to head: inout ResponseHead) {
        scratch.removeAll()
        identifier.append(to: &scratch)
        head.fields.append(.xRequestID, value: scratch.readable)
    }

    private static func passes(_ answer: borrowing ResponseHead, _ index: Int) -> Bool {
        switch answer.fields[index].known {
        case .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .te, .trailer, .transferEncoding, .upgrade,
            .contentLength, .xRequestID:
            return false
        default:
            break
        }
        var line = answer.fields.firstIndex(of: .connection)
        while let listing = line {
            if answer.fields.value(listing).listContains(token: answer.fields.name(index)) { return false }
            line = answer.fields.firstIndex(of: .connection, from: listing + 1)
        }
        return true
    }
}
