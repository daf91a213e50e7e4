public import Bytes
public import Reactor
import Synchronization

/// The gateway's look-ups of names: one thread that looks up again what upstreams are called, as often as their answers say.
///
/// Names are looked up one after the other: one that nobody answers for delays the others by a few seconds, while what is
/// known of them goes on to serve.
public final class Resolver: Sendable {
    /// Who is told of all names and their addresses, without ports, whenever those of one have changed, and once for each name
    /// after names were given.
    ///
    /// It is called on the resolver's thread and must not wait. A name of which nothing is known yet is absent.
    public typealias Listener = @Sendable ([String: [SocketAddress]]) -> Void

    private let desk: ResolverDesk
    private let thread = Mutex<WorkerThread?>(nil)

    /// Makes a resolver that does nothing before ``start()``.
    public convenience init(listener: @escaping Listener) throws(SystemError) {
        try self.init(lookup: NameLookup.answer, listener: listener)
    }

    /// Makes one that looks up otherwise.
    init(
        lookup: @escaping @Sendable (String) -> NameAnswer?, listener: @escaping Listener
    ) throws(SystemError) {
        desk = try ResolverDesk(lookup: lookup, listener: listener)
    }

    deinit {
        stop()
    }

    /// Starts the thread; once.
    public func start() throws(SystemError) {
        let desk = desk
        let started = try WorkerThread(name: "resolver") { desk.run() }
        thread.withLock { $0 = started }
    }

    /// Watches these names from now on, and no others; from any thread, never waits.
    ///
    /// - Parameters:
    ///   - names: the host names, each with the longest pause between two look-ups, from one second on.
    ///   - known: addresses that were looked up already.
    public func watch(_ names: [String: Interval], known: [String: [SocketAddress]] = [:]) {
        desk.watch(names, known: known)
    }

    /// Ends the work; no call of the listener begins after this returns, save that one may be under way.
    ///
    /// It does not wait for the thread: the system's look-up of a name that nobody answers for cannot be broken off. The thread
    /// ends by itself when that is over.
    public func stop() {
        desk.stop()
        thread.withLock { $0 = nil }
    }
}
