/// The table of what was measured.
enum Report {
    static func table(_ measurements: [Measurement], _ samples: [String: Samples]) -> String {
        var lines = [
            "| | median | 10 % to 90 % of rounds | beside | ours | ratio |", "|---|---:|---:|---|---:|---:|",
        ]
        for measurement in measurements {
            guard let own = samples[measurement.name] else { continue }
            var cells = [
                measurement.name, text(own.median), "\(text(own.quantile(0.1))) to \(text(own.quantile(0.9)))",
            ]
            if let baseline = measurement.baseline, let other = samples[baseline] {
                let compared = own.compared(with: other)
                cells += [baseline, text(compared.difference), decimal(compared.ratio, places: 2)]
            } else {
                cells += ["", "", ""]
            }
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    private static func text(_ nanoseconds: Double) -> String {
        abs(nanoseconds) < 1000
            ? "\(decimal(nanoseconds, places: 0)) ns" : "\(decimal(nanoseconds / 1000, places: 2)) µs"
    }

    private static func decimal(_ value: Double, places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let rounded = Int((abs(value) * scale).rounded())
        let (whole, part) = rounded.quotientAndRemainder(dividingBy: Int(scale))
        let digits = places == 0 ? "" : "." + String(repeating: "0", count: places - "\(part)".count) + "\(part)"
        return (value < 0 && rounded > 0 ? "-" : "") + "\(whole)\(digits)"
    }
}
