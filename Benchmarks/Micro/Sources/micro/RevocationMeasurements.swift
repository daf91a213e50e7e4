import Identity
import Revocation

/// Looking keys up among a few and among many that are revoked.
final class RevocationMeasurements {
    private static let samples = 1 << 20
    private let (count, name): (Int, String)
    /// Made when it is first needed: the largest takes a while.
    private lazy var trial = Self.trial(count)
    private var found = 0

    init(_ count: Int, _ name: String) {
        (self.count, self.name) = (count, name)
    }

    static var all: [Measurement] {
        [(1000, "1 k"), (100_000, "100 k"), (10_000_000, "10 M")].flatMap { count, name -> [Measurement] in
            let measurements = RevocationMeasurements(count, name)
            return [measurements.hits, measurements.misses, measurements.changes]
        }
    }

    private var hits: Measurement {
        Measurement(name: "revocation, hit among \(name)", baseline: Memory.name) { [self] in
            try lookUp(trial.present, expecting: Self.samples)
        }
    }

    private var misses: Measurement {
        Measurement(name: "revocation, miss among \(name)", baseline: Memory.name) { [self] in
            try lookUp(trial.absent, expecting: 0)
        }
    }

    /// One more revocation, while the workers hold what was published before.
    private var changes: Measurement {
        Measurement(name: "revocation, one more in a copy of \(name)", baseline: nil) { [self] in
            let start = ThreadTime.now
            for key in trial.absent.prefix(500) {
                var next = trial.set
                next.insert(key)
                found &+= next.count
            }
            return Double(ThreadTime.now - start) / 500
        }
    }

    private func lookUp(_ keys: [RevocationKey], expecting expected: Int) throws -> Double {
        let set = trial.set
        var found = 0
        let start = ThreadTime.now
        for key in keys where set.contains(key) { found += 1 }
        let end = ThreadTime.now
        precondition(found == expected, "a look-up went wrong")
        return Double(end - start) / Double(keys.count)
    }

    /// A set, keys that are in it, from all over it, and as many that are not.
    private static func trial(_ count: Int) -> (set: RevocationSet, present: [RevocationKey], absent: [RevocationKey]) {
        var generator = SeededGenerator(seed: 11)
        var set = RevocationSet()
        set.reserveCapacity(count)
        var present: [RevocationKey] = []
        let step = max(1, count / samples)
        for index in 0..<count {
            let key = RevocationKey(high: generator.next(), low: generator.next())
            set.insert(key)
            if index % step == 0, present.count < samples { present.append(key) }
        }
        let known = present
        while present.count < samples { present.append(known[Int(generator.next() % UInt64(known.count))]) }
        present.shuffle(using: &generator)
        let absent = (0..<samples).map { _ in RevocationKey(high: generator.next(), low: generator.next()) }
        return (set, present, absent)
    }
}
