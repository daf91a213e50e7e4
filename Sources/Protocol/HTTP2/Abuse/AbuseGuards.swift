import Bytes

/// What is counted against the peer of one connection.
struct AbuseGuards: Equatable {
    var rapidReset: RapidResetGuard
    var provokedResets: ProvokedResetGuard
    var controlFrames: ControlFrameGuard
    var emptyFrames: EmptyFrameGuard
    var continuations: ContinuationGuard
    var headerBombs: HeaderBombGuard
    var dribble: DribbleGuard
    private var isBlockHeeded = false
    /// The first limit that was passed.
    private(set) var abuse: HTTP2Abuse?

    init(_ limits: HTTP2AbuseLimits) {
        rapidReset = RapidResetGuard(limits.peerResets)
        provokedResets = ProvokedResetGuard(limits.provokedResets)
        controlFrames = ControlFrameGuard(limits.controlFrames)
        emptyFrames = EmptyFrameGuard(limits.emptyFrames)
        continuations = ContinuationGuard(limit: limits.continuations)
        headerBombs = HeaderBombGuard(limits.headerBombs)
        dribble = DribbleGuard(slivers: limits.slivers)
    }

    mutating func advance(to now: MonotonicTime) {
        rapidReset.advance(to: now)
        provokedResets.advance(to: now)
        controlFrames.advance(to: now)
        emptyFrames.advance(to: now)
        headerBombs.advance(to: now)
    }

    /// A frame begins.
    mutating func frameBegan(_ frame: FrameScanner.Header) {
        switch frame.type {
        case .headers:
            isBlockHeeded = false
            continuations.blockBegan()
        case .continuation: check(continuations.continuation(), .continuations)
        case .settings: check(controlFrames.settings(), .controlFrames)
        // What is unknown is ignored (RFC 9113 §5.5), but not for nothing.
        case .ping, .priority, .rstStream, .windowUpdate, .goAway, .pushPromise, nil:
            check(controlFrames.controlFrame(), .controlFrames)
        case .data: break
        }
    }

    /// The library heeds the field block that is being read.
    mutating func blockHeeded() {
        isBlockHeeded = true
    }

    /// A frame came whole.
    mutating func frameEnded(_ frame: FrameScanner.Header) {
        guard !isBlockHeeded, frame.type == .headers || frame.type == .continuation else { return }
        check(controlFrames.ignoredBlock(frame.length), .controlFrames)
    }

    /// A DATA frame without content came; false: the peer has gone too far.
    mutating func emptyFrame() -> Bool {
        check(emptyFrames.emptyFrame(), .emptyFrames)
    }

    /// The peer reset a stream that was open; false: it has gone too far.
    ///
    /// To reset one that is gone has undone nothing: some do so for every frame that crosses their first reset.
    mutating func peerReset() -> Bool {
        check(rapidReset.peerReset(), .rapidReset)
    }

    /// A field block was given up; false: the peer has gone too far.
    mutating func blockGivenUp() -> Bool {
        check(headerBombs.blockGivenUp(), .headerBomb)
    }

    /// Content went in a frame of `count` bytes, and more waits for the peer's windows; false: the peer has gone too far.
    mutating func contentFramed(_ count: Int, waiting: Int) -> Bool {
        controlFrames.contentMoved(count)
        return check(dribble.contentFramed(count, waiting: waiting), .dribble)
    }

    /// We sent RST_STREAM for an error of the peer's; false: the peer has gone too far.
    mutating func provokedReset() -> Bool {
        check(provokedResets.provokedReset(), .provokedResets)
    }

    /// We opened a stream; the peer may reset it once for nothing.
    mutating func streamOpened() {
        rapidReset.exchangeCompleted()
    }

    /// An exchange went to its end.
    mutating func exchangeCompleted() {
        rapidReset.exchangeCompleted()
        controlFrames.exchangeCompleted()
    }

    @discardableResult
    private mutating func check(_ isWithin: Bool, _ kind: HTTP2Abuse) -> Bool {
        if !isWithin, abuse == nil { abuse = kind }
        return isWithin
    }
}
