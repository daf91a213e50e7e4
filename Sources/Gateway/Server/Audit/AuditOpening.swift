import Audit
import Cryptography
import Reactor
import Synchronization

/// The body of the audit thread, and the answer to who started it: the log is opened on the thread that will own it.
final class AuditOpening: Sendable {
    private let settings: AuditWriterSettings
    private let outlets: [AuditOutlet]
    private let signals: AuditSignals
    private let answered: Wakeup
    private let outcome = Mutex<Result<Void, AuditWriterError>?>(nil)

    init(settings: AuditWriterSettings, outlets: [AuditOutlet], signals: AuditSignals) throws(SystemError) {
        answered = try Wakeup()
        self.settings = settings
        self.outlets = outlets
        self.signals = signals
    }

    /// Opens the log, answers, and writes until told to stop.
    func run() {
        var loop: AuditWriterLoop
        do throws(AuditWriterError) {
            loop = try open()
        } catch {
            answer(.failure(error))
            return
        }
        answer(.success(()))
        loop.run()
    }

    /// Waits until the log is open.
    ///
    /// - Returns: why it is not.
    func waitForOutcome() -> AuditWriterError? {
        while true {
            switch outcome.withLock({ $0 }) {
            case .none: answered.wait(timeout: -1)
            case .success: return nil
            case .failure(let error): return error
            }
        }
    }

    private func answer(_ result: Result<Void, AuditWriterError>) {
        outcome.withLock { $0 = result }
        answered.ring()
    }

    private func open() throws(AuditWriterError) -> AuditWriterLoop {
        guard let engine = try? CryptographicEngine() else { throw .resources("there is no SHA-256") }
        let log = try AuditLog.open(in: settings.directory, disk: settings.disk, engine: engine)
        return AuditWriterLoop(log: log, engine: engine, settings: settings, outlets: outlets, signals: signals)
    }
}
