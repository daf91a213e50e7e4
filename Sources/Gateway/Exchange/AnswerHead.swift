import Bytes
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
        let hopByHop = HopByHop(answer.fields)
        for index in 0..<answer.fields.count where !hopByHop.covers(index, of: answer.fields) {
            let known = answer.fields[index].known
            if known == .cacheControl, freshNonce != nil { continue }
            if limitStatus != nil, Self.tellsLimits(answer.fields.name(index)) { continue }
            if known == .contentLength || FieldHygiene.isOurs(answer.fields.name(index)) { continue }
            head.fields.append(name: answer.fields.name(index), value: answer.fields.value(index))
        }
        addNonce(to: &head)
        addLimits(to: &head)
        addRequestIdentifier(to: &head)
    }

    /// Whether the field is one that the gateway writes where it has limits itself.
    private static func tellsLimits(_ name: Span<UInt8>) -> Bool {
        name.equals("ratelimit") || name.equals("ratelimit-policy")
    }

    /// Adds `x-request-id`: every answer bears it, allowed or not.
    mutating func addRequestIdentifier(to head: inout ResponseHead) {
        scratch.removeAll()
        identifier.append(to: &scratch)
        head.fields.append(.xRequestID, value: scratch.readable)
    }
}
