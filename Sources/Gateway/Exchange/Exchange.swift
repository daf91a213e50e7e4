public import Bytes
import Cryptography
public import Delegation
public import HTTP
import Identity
public import Limits
public import Policy
public import Possession
public import Tokens

/// One request on its way through the gateway: what came, and what has been established about it so far.
///
/// Exchanges are reused, so that a request allocates nothing: ``reset()`` empties one and keeps its memory. It does no I/O.
public struct Exchange: ~Copyable {
    /// The request as its connection's machine understood it.
    public var request = RequestHead()
    /// The request's target in the one form that is judged, logged and forwarded; valid from phase 1 on.
    public var target = NormalizedTarget()
    /// The gateway's name for the request.
    public private(set) var identifier = RequestIdentifier(0, 0)
    /// The trace that it belongs to.
    public private(set) var trace = TraceContext(continuing: nil, words: (0, 0, 0))
    /// When its head was complete.
    public private(set) var receivedAt = MonotonicTime(nanoseconds: 0)
    /// How far the decision has come: the phase that it was reached in.
    public internal(set) var phase = DecisionPhase.target
    /// The public origin that the request is for, once found.
    public internal(set) var origin: PublicOrigin?
    /// How the access token was presented, once it was looked at.
    public internal(set) var scheme: AuthorizationScheme?
    /// The nonce that the answer is to give to the client (RFC 9449 §8.2, §9), if it is to give one.
    public internal(set) var freshNonce: String?
    /// The questions that were asked already: none is asked twice, the exchange does with what is known then.
    public internal(set) var asked: [Question] = []
    /// The route, once found.
    public internal(set) var route: Route?
    /// The token's claims, once verified.
    public internal(set) var claims: TokenClaims?
    /// The claims of a workload token beside the access token, once verified.
    public internal(set) var workloadClaims: TokenClaims?
    /// When the call must end, however much of it is left, and why: what allows it has expired then.
    ///
    /// The route's grace is for
    /// tokens; a certificate has none.
    public internal(set) var expiry: (time: UnixTime, reason: StaticString)?
    /// Where the chain behind the token breaks, if that is why it is refused.
    public internal(set) var lineageFault: LineageFault?
    /// The proofs that hold, once verified.
    public internal(set) var possession: PossessionMethods = []
    /// The grant that the call is allowed by.
    public internal(set) var grant: ScopeGrant?
    /// The listener's or the route's limits that count the call, until it ends.
    private var lease: LimitLease?
    /// How the limits stand that the client is told of.
    public internal(set) var limitStatus: LimitStatus?
    /// The name of the upstream that the call is for, once found.
    public internal(set) var upstream: String?
    /// An empty head with its memory, for the next forwarded request.
    private var spare: RequestHead? = RequestHead()
    /// Room for short texts while they are put together.
    var scratch = ByteQueue()
    /// Whether ``target`` holds a normalised target.
    var hasTarget: Bool { target.path.count > 0 }

    /// Makes an empty exchange.
    public init() {}

    /// Starts the exchange of the request that has been put into ``request``.
    ///
    /// - Parameters:
    ///   - identifier: unpredictable.
    ///   - words: three unpredictable words for the trace.
    ///   - now: when the head was complete.
    public mutating func begin(
        identifier: RequestIdentifier, traceWords words: (UInt64, UInt64, UInt64), now: MonotonicTime
    ) {
        self.identifier = identifier
        receivedAt = now
        if request.fields.lineCount(of: .traceparent) == 1, let line = request.fields.firstIndex(of: .traceparent) {
            trace = TraceContext(continuing: request.fields.value(line), words: words)
        } else {
            trace = TraceContext(continuing: nil, words: words)
        }
    }

    /// Takes the empty head that is kept for forwarding.
    mutating func takeSpare() -> RequestHead {
        spare.take() ?? RequestHead()
    }

    /// Takes the memory of a forwarded request back.
    public mutating func recycle(_ forwarded: consuming ForwardableRequest) {
        var head = (consume forwarded).intoHead()
        head.removeAll()
        spare = consume head
    }

    /// Keeps what counts the call while it is under way.
    mutating func keep(_ lease: consuming LimitLease) {
        limitStatus = lease.status
        self.lease = consume lease
    }

    /// Whether what the call moves counts against a limit.
    public var countsBytes: Bool {
        switch lease {
        case .some(let lease): lease.countsBytes
        case .none: false
        }
    }

    /// Counts what the call has moved, while it goes on: further calls are refused for it, this one is not slowed.
    public mutating func charge(bytes: UInt64, now: MonotonicTime) {
        switch lease {
        case .some(let lease): _ = lease.charge(bytes: bytes, now: now)
        case .none: break
        }
    }

    /// The call is over: it counts no more, but for the bytes that it moved.
    public mutating func endLease(bytes: UInt64, now: MonotonicTime) {
        guard let lease = lease.take() else { return }
        lease.end(bytes: bytes, now: now)
    }

    /// Forgets what an earlier judgement established: of a request that waited for an answer, by a snapshot that is gone.
    mutating func beginJudgement() {
        phase = .target
        (origin, route, scheme, claims, lineageFault) = (nil, nil, nil, nil, nil)
        (workloadClaims, expiry) = (nil, nil)
        possession = []
        grant = nil
        limitStatus = nil
        upstream = nil
    }

    /// Empties the exchange and keeps its memory.
    public mutating func reset() {
        request.removeAll()
        target.removeAll()
        phase = .target
        origin = nil
        scheme = nil
        freshNonce = nil
        asked.removeAll()
        route = nil
        claims = nil
        workloadClaims = nil
        expiry = nil
        lineageFault = nil
        possession = []
        grant = nil
        lease = nil
        limitStatus = nil
        upstream = nil
    }

    /// Sets when the call must end.
    mutating func setExpiry(_ route: Route, _ connection: ConnectionContext, _ snapshot: EnforcementSnapshot) {
        expiry = connection.peer.map { ($0.certificate.notAfter, "certificate.expired") }
        for claims in [claims, workloadClaims].compactMap(\.self) {
            let leeway = snapshot.issuers.issuers[claims.issuerIndex].clockLeeway
            let end = claims.expiresAt + leeway + route.expiryGrace
            if expiry.map({ end < $0.time }) ?? true { expiry = (end, "token.expired") }
        }
    }
}
