import Glibc

/// One thing whose cost is measured.
struct Measurement {
    let name: String
    /// The name of what is subtracted to see what we add; nothing: it is shown as it is.
    let baseline: String?
    /// Runs one round and says the CPU time of one operation in nanoseconds.
    let round: () throws -> Double

    /// Measures an operation that may be repeated at will.
    static func repeated(
        _ name: String, beside baseline: String? = nil, times: Int, _ operation: @escaping (Int) throws -> Void
    ) -> Measurement {
        Measurement(name: name, baseline: baseline) {
            let start = ThreadTime.now
            for index in 0..<times { try operation(index) }
            return Double(ThreadTime.now - start) / Double(times)
        }
    }
}

/// The CPU time of this thread: what others do on the machine shows in it only by way of the caches.
enum ThreadTime {
    static var now: Int64 {
        var time = timespec()
        guard unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else {
            preconditionFailure("the kernel has no such clock")
        }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// What the rounds of one measurement say together.
struct Samples {
    private var values: [Double] = []

    mutating func append(_ value: Double) { values.append(value) }

    var median: Double { quantile(0.5) }

    func quantile(_ part: Double) -> Double {
        let sorted = values.sorted()
        return sorted[Int((Double(sorted.count - 1) * part).rounded())]
    }

    /// The median of the differences and of the ratios, round by round: what moves both sides of a round cancels out.
    func compared(with other: Samples) -> (difference: Double, ratio: Double) {
        var (differences, ratios) = (Samples(), Samples())
        for (mine, its) in zip(values, other.values) {
            differences.append(mine - its)
            ratios.append(mine / its)
        }
        return (differences.median, ratios.median)
    }
}
