import Bytes
import Testing
import Tokens

@testable import Control

/// What an ask was answered, without what comes with it.
enum Advice: Equatable, Sendable {
    case fetch, known, refused, wait

    init(_ answer: KeyAnswer) {
        switch answer {
        case .fetch: self = .fetch
        case .known: self = .known
        case .refused: self = .refused
        case .wait: self = .wait
        }
    }
}

/// What a fetch brought, in a form that compares.
enum Brought: Equatable, Sendable {
    case rotation([String?]), first([String?]), failed(String), unchanged

    init(_ outcome: KeyOutcome) {
        switch outcome {
        case .changed(let keys, isRotation: true): self = .rotation(keys.identifiers)
        case .changed(let keys, isRotation: false): self = .first(keys.identifiers)
        case .failed(let reason): self = .failed(reason)
        case .unchanged: self = .unchanged
        }
    }
}

/// A refresher with one source, and a clock that is set by hand.
struct TrialRefresher {
    static let issuer = "https://broker.example.test"
    static let url = "https://broker.example.test/keys"

    var refresher: KeyRefresher
    var location: KeySetLocation
    /// Seconds since the start.
    var clock: Double = 0

    var now: MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000_000 + Int64((clock * 1000).rounded()) * 1_000_000)
    }

    init(refresh: Interval = .seconds(300), staleness: Interval = .seconds(3600), jitterSeed: UInt64? = nil) {
        location = KeySetLocation(url: Self.url, refreshInterval: refresh, maximumStaleness: staleness)
        refresher = KeyRefresher(jitterSeed: jitterSeed)
        refresher.configure([(Self.issuer, location)], now: now)
    }

    mutating func due() -> [KeyFetch] { refresher.due(at: now) }

    mutating func ask(_ keyID: String?) -> KeyAnswer { refresher.ask(issuer: Self.issuer, keyID: keyID, at: now) }

    mutating func advice(_ keyID: String?) -> Advice { Advice(ask(keyID)) }

    mutating func complete(_ fetch: KeyFetch, _ result: Result<IncomingResponse, RetrievalError>) -> Brought {
        Brought(refresher.completed(fetch, result, at: now))
    }

    /// Makes the fetch that is due, with that result.
    mutating func refresh(_ result: Result<IncomingResponse, RetrievalError>) throws -> Brought {
        let fetch = try #require(due().first)
        return complete(fetch, result)
    }

    /// Seconds from now to the next event.
    var pause: Double? {
        refresher.nextDue.map { Double(($0 - now).nanoseconds) / 1e9 }
    }

    var keys: [String?] { refresher.keys(of: Self.issuer, from: location, at: now).identifiers }

    var status: KeySourceStatus? { refresher.status(at: now).first }
}
