import Bytes
import HTTP

/// One exchange on a connection: a slot that is used again for later streams with the memory it has.
final class HTTP2Stream {
    var id: Int32 = 0

    // What comes in.
    /// The head that came to a server; a client's stream leaves it without memory.
    var request = RequestHead()
    /// The head that came to a client; a server's stream leaves it without memory.
    var response = ResponseHead()
    /// The head is whole and was not taken yet; else it holds what somebody left in it.
    var hasHead = false
    /// No other head may come: the next field block is trailers.
    var headCame = false
    /// The request's method is HEAD: its answer ends with its head.
    var isHeadMethod = false
    /// An extended CONNECT: no message but bytes follow (RFC 8441 §4).
    var isTunnel = false
    /// The head declares how long the content is.
    var declaresLength = false
    /// Content that came and was not taken yet: still held against the peer's windows.
    var received = ByteQueue()
    var receivedBytes: UInt64 = 0
    /// The bytes of all interim heads (1xx).
    var interimBytes = 0
    /// Content is expected, so its end will be an event.
    var awaitsContent = false
    /// END_STREAM came.
    var incomingEnded = false
    /// What came behind the content and was not taken yet.
    var trailers = FieldTable()
    /// Malformed or over a limit: content is dropped.
    var isRefused = false
    /// The driver knows of the stream, and hears when it is over.
    var isAnnounced = false
    /// The code of the peer's RST_STREAM.
    var peerCode: UInt32?

    // What goes out.
    /// Content that was accepted and is not framed yet.
    var outgoing = ByteQueue()
    /// What goes behind the content.
    var outgoingTrailers = FieldTable()
    /// What is still to come of a declared length.
    var declaredBytes: UInt64?
    var outgoingBegan = false
    /// The head went out.
    var headFramed = false
    /// No more content will be accepted.
    var outgoingEnded = false
    /// END_STREAM went out.
    var outgoingFramed = false
    /// The library waits to be told that there is content again.
    var isDeferred = false

    // The end.
    /// RST_STREAM is on its way: nothing can be said any more.
    var isClosing = false
    /// The code that we chose for it, where it is by no fault of the peer.
    var ownCode: HTTP2ErrorCode?
    /// The driver reset the stream and wants to hear no more of it.
    var isForgotten = false
    /// The library knows the stream no more.
    var isClosed = false
    /// An event that ends the exchange was queued: nothing may follow it.
    var isOver = false
    /// It was an event of failure: what came is gone.
    var hasFailed = false
    /// That event was taken.
    var isTold = false

    /// Memory that a spare slot may keep in each of its queues, in bytes.
    private static let spareCapacity = 4096

    /// Forgets the stream and keeps memory for another one.
    func reset() {
        id = 0
        hasHead = false
        headCame = false
        isHeadMethod = false
        isTunnel = false
        declaresLength = false
        Self.empty(&received)
        receivedBytes = 0
        interimBytes = 0
        awaitsContent = false
        incomingEnded = false
        trailers.removeAll()
        isRefused = false
        isAnnounced = false
        peerCode = nil
        Self.empty(&outgoing)
        outgoingTrailers.removeAll()
        declaredBytes = nil
        outgoingBegan = false
        headFramed = false
        outgoingEnded = false
        outgoingFramed = false
        isDeferred = false
        isClosing = false
        ownCode = nil
        isForgotten = false
        isClosed = false
        isOver = false
        hasFailed = false
        isTold = false
    }

    private static func empty(_ queue: inout ByteQueue) {
        if queue.capacity > spareCapacity { queue.releaseStorage() } else { queue.removeAll() }
    }
}
