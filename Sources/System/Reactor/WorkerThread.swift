import CShims
import Glibc

/// A thread of the operating system that runs one body to its end.
@safe
public final class WorkerThread: Sendable {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private let handle: pthread_t

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: what `top -H` shows; the kernel keeps 15 bytes.
    ///   - body: what it runs.
    public init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var handle = pthread_t()
        // The new thread takes this reference over and drops it at its end.
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                }
                return nil
            }, context)
        guard code == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            throw SystemError("pthread_create", code: code)
        }
        _ = unsafe sp_thread_name(handle, String(name.prefix(15)))
        self.handle = handle
    }

    /// Waits until the body has ended; once.
    public func join() {
        _ = pthread_join(handle, nil)
    }
}
