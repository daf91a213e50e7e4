import Foundation

/// The twin that each option has in the environment: `SALLYPORT_CONFIG` stands for `--config`.
///
/// The command line wins. An empty variable counts as unset.
enum EnvironmentTwin {
    /// All variables of the process.
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// The option's value, or its twin's.
    static func value(_ option: String?, _ variable: String) -> String? {
        option ?? environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The option's value, or its twin's; where both are absent, an error that names both.
    static func required(_ option: String?, _ name: String, _ variable: String) throws -> String {
        guard let value = value(option, variable) else {
            throw CommandFailure.couldNotRun("\(name) is missing; give it, or set \(variable)")
        }
        return value
    }

    /// Whether the flag is given, or its twin is `true` or `1`.
    static func flag(_ flag: Bool, _ variable: String) throws -> Bool {
        if flag { return true }
        switch environment[variable] ?? "" {
        case "", "0", "false": return false
        case "1", "true": return true
        default: throw CommandFailure.couldNotRun("\(variable) is not understood; set it to true or false")
        }
    }

    /// The option's values, or its twin's, one a line.
    static func list(_ options: [String], _ variable: String) -> [String] {
        guard options.isEmpty else { return options }
        return (environment[variable] ?? "").split(whereSeparator: \.isNewline).map(String.init)
    }
}
