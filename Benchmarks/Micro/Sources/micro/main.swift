import Cryptography
import Glibc

if CommandLine.arguments.count > 2, CommandLine.arguments[1] == "store" {
    let trial = StoreTrial(directory: CommandLine.arguments[2])
    if let count = CommandLine.arguments.dropFirst(3).first.flatMap({ Int($0) }) {
        try trial.fill(count)
    } else {
        try trial.load()
    }
    exit(0)
}

// Measures what the pure cores cost, each beside what it cannot do without: `micro [ROUNDS [TEXT]]`, where only what has TEXT in its
// name is measured. `micro store DIRECTORY [COUNT]` fills a store of revocations, or reads it.
let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 15
let wanted = CommandLine.arguments.dropFirst(2).first ?? ""
let engine = try CryptographicEngine()
let credentials = try [SignatureAlgorithm.es256, .ed25519, .ps256].map { try Credentials($0) }
var measurements = [Memory().measurement]
measurements.append(try .cachedToken(credentials[0], engine: engine))
for issuer in credentials { measurements += try Measurement.token(issuer, engine: engine) }
measurements += try Measurement.chain(of: [0, 1, 5], credentials[1], engine: engine)
for client in credentials.prefix(2) { measurements += try Measurement.proof(client, engine: engine) }
measurements.append(.nonce(engine: engine))
measurements += ReplayMeasurements().all
measurements += RevocationMeasurements.all

let chosen = measurements.filter { wanted.isEmpty || $0.name.contains(wanted) }
let baselines = Set(chosen.compactMap(\.baseline))
measurements = measurements.filter { measurement in
    baselines.contains(measurement.name) || chosen.contains { $0.name == measurement.name }
}

// One round that does not count, so that caches and branches are what they will be.
for measurement in measurements { _ = try measurement.round() }
var samples: [String: Samples] = [:]
for _ in 0..<rounds {
    for measurement in measurements { samples[measurement.name, default: Samples()].append(try measurement.round()) }
}
print(Report.table(measurements, samples))
