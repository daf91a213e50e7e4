/// One thing that is wrong with a configuration: where it stands and what to do about it.
public struct ConfigurationFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file as the operator named it.
    public let file: String
    /// The line in the file, counted from 1, or nothing where the fault has none (an environment variable, the file itself).
    public let line: Int?
    /// The way to the value, such as `listeners[0].tls.certificates`; empty for the whole file.
    public let keyPath: String
    /// One sentence that says what to do, without a full stop.
    public let message: String

    /// Makes a fault of its four parts.
    public init(file: String, line: Int?, keyPath: String, message: String) {
        self.file = file
        self.line = line
        self.keyPath = keyPath
        self.message = message
    }

    /// One line for the operator: `sallyport.yaml:12: listeners[0].tls: …`.
    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return keyPath.isEmpty ? "\(place): \(message)" : "\(place): \(keyPath): \(message)"
    }
}

/// Everything that is wrong with a configuration.
public struct ConfigurationFaults: Error, Equatable, Sendable, CustomStringConvertible {
    /// The faults in the order of their lines; never empty.
    public let faults: [ConfigurationFault]

    /// Takes what was found; whoever throws without having found anything still names the file.
    init(_ collector: FaultCollector) {
        let unknown = ConfigurationFault(
            file: collector.file, line: nil, keyPath: "",
            message: "the file cannot be used; check it against the schema")
        faults = collector.isEmpty ? [unknown] : collector.faults
    }

    /// The faults, one a line.
    public var description: String {
        faults.map(\.description).joined(separator: "\n")
    }
}
