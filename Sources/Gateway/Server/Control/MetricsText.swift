/// Metrics in the text format of Prometheus (version 0.0.4).
struct MetricsText {
    /// The text so far.
    private(set) var text = ""

    /// What a metric does over time.
    enum Kind: String {
        case counter, gauge
    }

    /// One value of a metric.
    struct Sample {
        let labels: [(name: String, value: String)]
        let value: Double

        init(_ value: Double, _ labels: [(name: String, value: String)] = []) {
            self.value = value
            self.labels = labels
        }
    }

    /// Adds a metric with all its samples; none where there are none.
    mutating func add(_ name: String, _ kind: Kind, help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
            text += labels.isEmpty ? name : "\(name){\(labels)}"
            text += " \(Self.written(sample.value))\n"
        }
    }

    /// Whole numbers without a point, so that counters read as such.
    private static func written(_ value: Double) -> String {
        guard let whole = Int64(exactly: value) else { return value.isNaN ? "NaN" : "\(value)" }
        return "\(whole)"
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
        return text
    }
}
