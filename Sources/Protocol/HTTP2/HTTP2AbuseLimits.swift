/// How much of each costly act is granted at once, and how fast it is granted anew.
public struct HTTP2AbuseLimits: Equatable, Sendable {
    /// Streams that the peer resets; each completed exchange grants one more.
    public var peerResets: HTTP2Allowance
    /// Streams that we must reset because of what the peer sent.
    public var provokedResets: HTTP2Allowance
    /// Control and unknown frames, SETTINGS counted tenfold, and field blocks for streams that are gone, by their size; content that moves, either way, grants more.
    public var controlFrames: HTTP2Allowance
    /// DATA frames without content that do not end a stream.
    public var emptyFrames: HTTP2Allowance
    /// Field blocks that are given up unread, at four times the limit of a head.
    public var headerBombs: HTTP2Allowance
    /// DATA frames of ours that the peer's windows cut to less than 256 bytes; content that goes grants more, time does not.
    public var slivers: Int
    /// CONTINUATION frames in one field block.
    public var continuations: Int
    /// Control frames of ours that the peer leaves unread.
    public var backlog: Int

    /// Makes limits; the defaults leave honest clients an order of magnitude of room.
    public init(
        peerResets: HTTP2Allowance = HTTP2Allowance(burst: 200, perSecond: 50),
        provokedResets: HTTP2Allowance = HTTP2Allowance(burst: 200, perSecond: 10),
        controlFrames: HTTP2Allowance = HTTP2Allowance(burst: 1000, perSecond: 200),
        emptyFrames: HTTP2Allowance = HTTP2Allowance(burst: 100, perSecond: 10),
        headerBombs: HTTP2Allowance = HTTP2Allowance(burst: 10, perSecond: 1),
        slivers: Int = 200, continuations: Int = 16, backlog: Int = 1000
    ) {
        self.peerResets = peerResets
        self.provokedResets = provokedResets
        self.controlFrames = controlFrames
        self.emptyFrames = emptyFrames
        self.headerBombs = headerBombs
        self.slivers = slivers
        self.continuations = continuations
        self.backlog = backlog
    }
}

extension HTTP2AbuseLimits {
    /// What an upstream may do: it serves many clients through one connection, and streams flush with empty frames.
    public static let ofUpstream = HTTP2AbuseLimits(
        controlFrames: HTTP2Allowance(burst: 4000, perSecond: 1000),
        emptyFrames: HTTP2Allowance(burst: 1000, perSecond: 100))
}

/// A number of acts granted at once, and the rate at which they are granted again.
public struct HTTP2Allowance: Equatable, Sendable {
    /// The acts that are granted at once.
    public var burst: Int
    /// The acts that are granted anew each second.
    public var perSecond: Int

    /// Makes an allowance.
    public init(burst: Int, perSecond: Int) {
        self.burst = burst
        self.perSecond = perSecond
    }
}
