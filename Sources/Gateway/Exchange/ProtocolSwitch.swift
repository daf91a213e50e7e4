import Bytes
import Cryptography
public import HTTP
import Policy

extension Exchange {
    /// Whether the client asks to speak another protocol by extended CONNECT (RFC 8441), and not by `Upgrade`.
    var isExtendedConnect: Bool {
        !request.upgrade.isEmpty && request.method.readable.equals("CONNECT")
    }

    /// Phase 7: whether the route lets the connection change its protocol.
    ///
    /// `Upgrade` is an offer that may be ignored (RFC 9110 §7.8), and is, unless the route lists the protocol. A WebSocket
    /// client has no use for anything else, and extended CONNECT is no offer: they are denied.
    mutating func settleUpgrade(for route: Route) throws(Denial) {
        guard !request.upgrade.isEmpty else { return }
        if route.allowsUpgrade(to: request.upgrade.readable) { return }
        guard !isExtendedConnect, !request.upgrade.readable.equals("websocket") else {
            throw Denial(.policy, PolicyDenial.upgrade.reason)
        }
        request.upgrade.removeAll()
    }

    /// The key that the gateway asks an upstream with where the client, over HTTP/2, has none (RFC 8441 §5.1).
    var webSocketKey: [UInt8] {
        var key = ByteQueue()
        Base64.append(identifier.bytes, to: &key)
        return Array(copying: key.readable)
    }

    /// Fills the head that tells the client of an upstream's agreement to speak another protocol.
    ///
    /// - Returns: false where the upstream has not agreed to what was asked.
    public mutating func fill(_ head: inout ResponseHead, switching answer: borrowing ResponseHead) -> Bool {
        let isTranslated = isExtendedConnect
        if isTranslated, request.upgrade.readable.equals("websocket"), !answersKey(answer) { return false }
        fill(&head, from: answer)
        head.framing = .streamed
        guard isTranslated else {
            head.upgrade.append(answer.upgrade.readable)
            return true
        }
        head.removeAll()
        head.status = 200
        head.framing = .streamed
        for index in 0..<answer.fields.count {
            let name = answer.fields.name(index)
            guard name.equals("sec-websocket-protocol") || name.equals("sec-websocket-extensions") else { continue }
            head.fields.append(name: name, value: answer.fields.value(index))
        }
        addRequestIdentifier(to: &head)
        return true
    }

    /// Whether a client would take an answer for the agreement to speak another protocol that it is not: over HTTP/2 any 2xx
    /// says yes (RFC 8441 §4).
    public func wouldSwitch(by answer: borrowing ResponseHead) -> Bool {
        isExtendedConnect && (200...299).contains(answer.status)
    }

    private func answersKey(_ answer: borrowing ResponseHead) -> Bool {
        var expected = ByteQueue()
        Base64.append(WebSocketAccept.digest(ofKey: webSocketKey.span), to: &expected)
        var found = false
        for index in 0..<answer.fields.count where answer.fields.name(index).equals("sec-websocket-accept") {
            guard !found, answer.fields.value(index).equals(expected.readable) else { return false }
            found = true
        }
        return found
    }
}
