import Bytes
import HTTP
import HTTP2

/// What the first byte of an input says.
struct HTTP2Plan {
    let isServer: Bool
    let isTight: Bool
    let seed: UInt8

    init(_ byte: UInt8) {
        isServer = byte & 1 == 0
        isTight = byte & 2 != 0
        seed = byte >> 2
    }

    static let streamWindow: Int32 = 1000
    static let connectionWindow: Int32 = 65_535
    static let streams = 8

    private var head: HeadLimits { isTight ? HeadLimits(bytes: 300, count: 6) : HeadLimits(bytes: 8192, count: 50) }

    private var abuse: HTTP2AbuseLimits {
        let few = HTTP2Allowance(burst: 12, perSecond: 0)
        guard isTight else { return HTTP2AbuseLimits() }
        return HTTP2AbuseLimits(
            peerResets: few, provokedResets: few, controlFrames: few, emptyFrames: few, headerBombs: few, slivers: 12,
            continuations: 3, backlog: 10)
    }

    /// The machine, and the bytes that a peer's connection begins with.
    func makeServer() throws(Violation) -> (HTTP2ServerConnection, [UInt8]) {
        let limits = HTTP2Limits(
            streams: UInt32(Self.streams), head: head, bodyLimit: isTight ? 50 : 0, streamWindow: Self.streamWindow,
            connectionWindow: Self.connectionWindow, sendLowMark: 100, extendedConnect: seed & 1 == 0, abuse: abuse)
        let opening = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.settings
        do throws(HTTP2Error) {
            return (try HTTP2ServerConnection(limits: limits), opening)
        } catch {
            throw Violation(property: "a server's connection can be made (\(error))")
        }
    }

    /// The machine with a few requests under way, and the bytes that a peer's connection begins with.
    func makeClient() throws(Violation) -> (HTTP2ClientConnection, [UInt8]) {
        let limits = HTTP2ClientLimits(
            streams: Self.streams, head: head, streamWindow: Self.streamWindow,
            connectionWindow: Self.connectionWindow, sendLowMark: 100, abuse: abuse)
        let client: HTTP2ClientConnection
        do throws(HTTP2Error) {
            client = try HTTP2ClientConnection(limits: limits, overTLS: seed & 1 == 0)
        } catch {
            throw Violation(property: "a client's connection can be made (\(error))")
        }
        for method in ["GET", "HEAD", "POST", "GET"] {
            var head = RequestHead()
            head.method.append(utf8: method)
            head.authority.append("up.test")
            head.target.append("/")
            head.framing = method == "POST" ? .streamed : .none
            _ = client.open(head, endStream: method != "POST")
        }
        client.sendBody([UInt8](repeating: 1, count: 500).span, on: 5)
        var output = ByteQueue()
        client.send(into: &output, upTo: 1 << 20)
        return (client, Self.settings)
    }

    /// Empty SETTINGS, and the acknowledgement of ours.
    private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 0, 4, 1, 0, 0, 0, 0]
}
