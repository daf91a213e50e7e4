import Bytes
import Cryptography
import Delegation
import Support
import Testing

@testable import Tokens

/// Numbers that are the same in every run (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

/// A small world of things to do, in which every request can be tried.
private enum Universe {
    static let actions = ["read", "write"]
    static let resources = ["orders", "users"]
    static let identifiers = ["1", "2", "1:1"]

    static let requests = product(identifiers)
    static let grants = product(identifiers + ["*"])

    private static func product(_ identifiers: [String]) -> [String] {
        actions.flatMap { action in
            resources.flatMap { resource in identifiers.map { "\(action):\(resource):\($0)" } }
        }
    }

    /// Whether a list of grants allows a request: told by texts alone, not by the code that is tested.
    static func allows(_ scopes: [String], _ request: String) -> Bool {
        scopes.contains { scope in
            scope == request || scope.hasSuffix(":*") && request.hasPrefix(scope.dropLast())
        }
    }
}

/// A chain that was made at random, rightly, and then perhaps spoiled.
private struct RandomChain {
    var records: [ChainRecord] = []
    var scopes: [String]
    var signatureOf: [Int: Int] = [:]
    var isSpoiled = false

    init(using random: inout Seeded) {
        var held = Universe.grants.filter { _ in Bool.random(using: &random) }
        let count = Int.random(in: 1...5, using: &random)
        for index in 0..<count {
            records.append(ChainRecord("app:\(index)", held, at: "2027-01-15T07:5\(index):00Z"))
            held = Self.narrowed(held, using: &random)
        }
        scopes = held
    }

    /// A part of what is held, and some of it made narrower.
    private static func narrowed(_ held: [String], using random: inout Seeded) -> [String] {
        held.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }.map { grant in
            guard grant.hasSuffix("*"), Bool.random(using: &random) else { return grant }
            return grant.dropLast() + Universe.identifiers[Int.random(in: 0..<3, using: &random)]
        }
    }

    /// Does one thing to it that a thief or a careless broker could do.
    mutating func spoil(using random: inout Seeded) {
        isSpoiled = true
        let place = Int.random(in: 0..<records.count, using: &random)
        let grant = Universe.grants[Int.random(in: 0..<Universe.grants.count, using: &random)]
        switch Int.random(in: 0..<6, using: &random) {
        case 0: scopes.append(grant)
        case 1: records[place].scopes.append(grant)
        case 2: records.swapAt(place, 0)
        case 3: records.remove(at: place)
        case 4: records[place].scopes = []
        default: signatureOf[place] = Int.random(in: 0..<records.count, using: &random)
        }
    }
}

@Suite("Chains at random")
struct ChainPropertyTests {
    @Test("No chain that is accepted grants what its root did not", arguments: [1, 2, 3, 4] as [UInt64])
    func neverMore(seed: UInt64) throws {
        let broker = Broker(key: try .generate(.ed25519), algorithm: .edDSA)
        let table = IssuerTable([try broker.issuer(profile: .agentwrit, keys: broker.keySet(keyID: nil))])
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 0)
        var random = Seeded(state: seed)
        var counts = (right: 0, spoiledAccepted: 0, refused: 0)
        for _ in 0..<250 {
            var chain = RandomChain(using: &random)
            if Bool.random(using: &random) { chain.spoil(using: &random) }
            let token = try token(of: chain, by: broker)
            guard case .success(let claims) = verdict(verifier, token, table) else {
                #expect(chain.isSpoiled)
                counts.refused += 1
                continue
            }
            if chain.isSpoiled { counts.spoiledAccepted += 1 } else { counts.right += 1 }
            let root = claims.lineage.links.first?.scopes ?? claims.scopes
            for request in Universe.requests where Universe.allows(claims.scopes, request) {
                #expect(Universe.allows(root, request), "\(request) of \(root) through \(chain)")
            }
        }
        // Of each kind there are enough for the test to say something.
        #expect(counts.right > 80 && counts.spoiledAccepted > 10 && counts.refused > 40)
    }

    private func token(of chain: RandomChain, by broker: Broker) throws -> [UInt8] {
        let records = try chain.records.enumerated().map { index, record in
            let signed = chain.signatureOf[index].flatMap { $0 < chain.records.count ? chain.records[$0] : nil }
            return try broker.json(record, signing: signed)
        }
        let scopes = chain.scopes.map { "\"\($0)\"" }.joined(separator: ",")
        let claims = try Broker.chainClaims(records)
        return try broker.agentWritToken(claims.merging(["scope": "[\(scopes)]"]) { $1 })
    }
}
