import Cryptography

/// Measures what the pure cores cost, each beside what it cannot do without: `micro [ROUNDS]`.
let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 15
let engine = try CryptographicEngine()
let credentials = try [SignatureAlgorithm.es256, .ed25519, .ps256].map { try Credentials($0) }
var measurements = [Memory().measurement]
measurements.append(try .cachedToken(credentials[0], engine: engine))
for issuer in credentials { measurements += try Measurement.token(issuer, engine: engine) }
for client in credentials.prefix(2) { measurements += try Measurement.proof(client, engine: engine) }
measurements.append(.nonce(engine: engine))
measurements += ReplayMeasurements().all

// One round that does not count, so that caches and branches are what they will be.
for measurement in measurements { _ = try measurement.round() }
var samples: [String: Samples] = [:]
for _ in 0..<rounds {
    for measurement in measurements { samples[measurement.name, default: Samples()].append(try measurement.round()) }
}
print(Report.table(measurements, samples))
