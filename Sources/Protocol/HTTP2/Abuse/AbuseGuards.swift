import Bytes

/// What is counted against the peer of one connection.
struct AbuseGuards: Equatable {
    var rapidReset: RapidResetGuard
    var provokedResets: ProvokedResetGuard
    var controlFrames: ControlFrameGuard
    var emptyFrames: EmptyFrameGuard
    var continuations: ContinuationGuard
    /// The first limit that was passed.
    private(set) var abuse: HTTP2Abuse?

    init(_ limits: HTTP2AbuseLimits) {
        rapidReset = RapidResetGuard(limits.peerResets)
        provokedResets = ProvokedResetGuard(limits.provokedResets)
        controlFrames = ControlFrameGuard(limits.controlFrames)
        emptyFrames = EmptyFrameGuard(limits.emptyFrames)
        continuations = ContinuationGuard(limit: limits.continuations)
    }

    mutating func advance(to now: MonotonicTime) {
        rapidReset.advance(to: now)
        provokedResets.advance(to: now)
        controlFrames.advance(to: now)
        emptyFrames.advance(to: now)
    }

    /// A frame of that type begins; false: the peer has gone too far.
    mutating func frameBegan(_ type: FrameType?) -> Bool {
        switch type {
        case .headers:
            continuations.blockBegan()
            return true
        case .continuation: return check(continuations.continuation(), .continuations)
        case .rstStream: return check(rapidReset.peerReset(), .rapidReset)
        case .settings: return check(controlFrames.settings(), .controlFrames)
        case .ping, .priority, .windowUpdate: return check(controlFrames.controlFrame(), .controlFrames)
        case .data, .goAway, .pushPromise, nil: return true
        }
    }

    /// A DATA frame without content came; false: the peer has gone too far.
    mutating func emptyFrame() -> Bool {
        check(emptyFrames.emptyFrame(), .emptyFrames)
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

    private mutating func check(_ isWithin: Bool, _ kind: HTTP2Abuse) -> Bool {
        if !isWithin, abuse == nil { abuse = kind }
        return isWithin
    }
}
