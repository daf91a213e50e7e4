/// Gathers what is wrong, and what is merely doubtful, while a configuration is read to its end.
final class FaultCollector {
    /// The file as the operator named it.
    let file: String
    private var found: [ConfigurationFault] = []
    private var doubts: [ConfigurationFault] = []
    private var settled: Set<String> = []

    init(file: String) {
        self.file = file
    }

    /// Whether nothing that was read is wrong so far.
    var isEmpty: Bool { found.isEmpty }

    /// The faults in the order of their lines, those without a line first.
    var faults: [ConfigurationFault] { Self.inLineOrder(found) }

    /// The doubts in the order of their lines.
    var warnings: [ConfigurationFault] { Self.inLineOrder(doubts) }

    /// Says that all is said about a value: later faults of exactly this key path are not noted.
    func settle(_ keyPath: String) {
        settled.insert(keyPath)
    }

    /// Notes something that makes the configuration invalid.
    func refuse(line: Int?, keyPath: String, _ message: String) {
        guard !settled.contains(keyPath) else { return }
        found.append(ConfigurationFault(file: file, line: line, keyPath: keyPath, message: message))
    }

    /// Notes something that the operator should know and that does not make the configuration invalid.
    func warn(line: Int?, keyPath: String, _ message: String) {
        doubts.append(ConfigurationFault(file: file, line: line, keyPath: keyPath, message: message))
    }

    /// Sorts by line and keeps the order of discovery within a line.
    private static func inLineOrder(_ faults: [ConfigurationFault]) -> [ConfigurationFault] {
        faults.enumerated()
            .sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }
            .map(\.element)
    }
}
