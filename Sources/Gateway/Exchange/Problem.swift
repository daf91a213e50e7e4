public import Bytes
public import HTTP
import Limits

extension Exchange {
    /// Fills the answer to a denied call: problem details (RFC 9457) that say the code and nothing finer; to a client of
    /// gRPC a status of gRPC instead.
    ///
    /// - Parameters:
    ///   - head: is emptied and filled.
    ///   - body: is emptied and filled.
    ///   - denial: what was decided.
    ///   - proofAlgorithms: those that proofs may be signed with, separated by spaces.
    public mutating func fill(
        _ head: inout ResponseHead, _ body: inout ByteQueue, denial: Denial, proofAlgorithms: String
    ) {
        body.removeAll()
        head.removeAll()
        if isGRPC { fillGRPC(&head, denial: denial) } else { fillProblem(&head, &body, denial: denial) }
        let challenge = Challenge(
            denial: denial, route: route, scheme: scheme, metadataURL: origin?.metadataURL, algorithms: proofAlgorithms)
        challenge.append(to: &head.fields)
        addNonce(to: &head)
        if denial.code == .unavailable || denial.code == .rateLimited {
            scratch.removeAll()
            scratch.append(decimal: limitStatus?.retryAfter ?? 1)
            head.fields.append(.retryAfter, value: scratch.readable)
        }
        addLimits(to: &head)
        addRequestIdentifier(to: &head)
    }

    private func fillProblem(_ head: inout ResponseHead, _ body: inout ByteQueue, denial: Denial) {
        body.append("{\"type\":\"urn:sallyport:")
        body.append(utf8: denial.code.rawValue)
        body.append("\",\"title\":\"")
        body.append(denial.code.title)
        body.append("\",\"status\":")
        body.append(decimal: UInt64(denial.status))
        body.append(",\"instance\":\"")
        identifier.append(to: &body)
        body.append("\"}\n")

        head.status = denial.status
        head.framing = .length(UInt64(body.count))
        head.fields.append(.contentType, value: "application/problem+json".utf8.span)
    }

    /// Fills an answer that the gateway itself has.
    public mutating func fill(_ head: inout ResponseHead, _ body: inout ByteQueue, document: ServedDocument) {
        body.removeAll()
        body.append(document.body.span)
        head.removeAll()
        head.status = 200
        head.framing = .length(UInt64(body.count))
        head.fields.append(.contentType, value: document.contentType.utf8.span)
        addRequestIdentifier(to: &head)
    }

    /// Gives the client the nonce that it is to repeat from now on; such an answer is nobody else's (RFC 9449 §8.2).
    func addNonce(to head: inout ResponseHead) {
        guard let freshNonce else { return }
        head.fields.append(literal: "dpop-nonce", value: freshNonce.utf8.span)
        head.fields.append(.cacheControl, value: "no-store".utf8.span)
    }
}
