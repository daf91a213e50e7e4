import Bytes
import HTTP

/// One exchange on a connection: a slot that is used again for later streams with the memory it has.
final class HTTP2Stream {
    var id: Int32 = 0

    // The request.
    var head = RequestHead()
    /// The head is whole and was not taken yet; else it holds what somebody left in it.
    var hasHead = false
    var isHeadMethod = false
    /// Content that came and was not taken yet: still held against the peer's windows.
    var received = ByteQueue()
    var receivedBytes: UInt64 = 0
    /// Content is expected, so its end will be an event.
    var awaitsContent = false
    /// END_STREAM came.
    var requestEnded = false
    /// Malformed or over a limit: content is dropped, an answer is still possible.
    var isRefused = false
    /// The driver knows of the stream, and hears when it is over.
    var isAnnounced = false

    // The answer.
    /// Content that was accepted and is not framed yet.
    var outgoing = ByteQueue()
    /// What is still to come of a declared length.
    var declaredBytes: UInt64?
    var answerBegan = false
    /// No more content will be accepted.
    var answerEnded = false
    /// END_STREAM went out.
    var answerFramed = false
    /// The library waits to be told that there is content again.
    var isDeferred = false
    /// RST_STREAM is on its way: nothing can be said any more.
    var isClosing = false
    /// The code that we chose for it, where it is by no fault of the peer.
    var ownCode: HTTP2ErrorCode?
    /// The driver reset the stream and wants to hear no more of it.
    var isForgotten = false

    /// Memory that a spare slot may keep in each of its queues, in bytes.
    private static let spareCapacity = 4096

    /// Forgets the stream and keeps memory for another one.
    func reset() {
        id = 0
        hasHead = false
        isHeadMethod = false
        Self.empty(&received)
        receivedBytes = 0
        awaitsContent = false
        requestEnded = false
        isRefused = false
        isAnnounced = false
        Self.empty(&outgoing)
        declaredBytes = nil
        answerBegan = false
        answerEnded = false
        answerFramed = false
        isDeferred = false
        isClosing = false
        ownCode = nil
        isForgotten = false
    }

    private static func empty(_ queue: inout ByteQueue) {
        if queue.capacity > spareCapacity { queue.releaseStorage() } else { queue.removeAll() }
    }
}
