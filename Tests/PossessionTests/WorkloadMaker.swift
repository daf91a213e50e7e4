import Bytes
import Cryptography
import Tokens

@testable import Possession

/// A workload that signs whatever proof it is asked to, and the call that its proofs are for.
struct WorkloadMaker {
    static let now = UnixTime(seconds: 1_800_000_000)
    static let workloadToken = "eyJ3aXQ.eyJ3aXQ.d2l0"
    static let accessToken = "16_mAd0GiwaZokU26_0902100"
    static let transactionToken = "eyJ0eG4.eyJ0eG4.dHhu"
    static let policy = WPTPolicy(maximumLifetime: .seconds(60), futureSkew: .seconds(10))

    /// The claims of a proof that every rule allows, as JSON, for a test to change.
    static func claims() throws -> [String: String] {
        [
            "aud": #""https://api.example.test/orders/17""#, "exp": "1800000030", "jti": #""w-1""#,
            "wth": try hash(workloadToken), "ath": #""CL4wjfpRmNf-bdYIbYLnV9d5rMARGwKYE10wUwzC0jI""#,
        ]
    }

    let key: PrivateKey
    let algorithm: SignatureAlgorithm

    static func standard() throws -> WorkloadMaker {
        WorkloadMaker(key: try ProofMaker.standard().key, algorithm: .es256)
    }

    static func ed25519(_ algorithm: SignatureAlgorithm = .ed25519) throws -> WorkloadMaker {
        WorkloadMaker(key: try ProofMaker.ed25519().key, algorithm: algorithm)
    }

    var boundKey: BoundKey { BoundKey(publicKey: key.publicKey, algorithm: algorithm) }

    /// The hash of a token, as a JSON string.
    static func hash(_ text: String) throws -> String {
        #""\#(try CryptographicEngine().sha256(text.utf8.span).base64URL)""#
    }

    /// A proof with some claims and header members changed, added, or (where nil) left out.
    func proof(
        _ changed: [String: String?] = [:], header changedHeader: [String: String?] = [:]
    ) throws -> [UInt8] {
        let header = ["alg": "\"\(algorithm.rawValue)\"", "typ": #""wpt+jwt""#]
        return try sign(
            header: ProofMaker.json(header, changedHeader), payload: ProofMaker.json(Self.claims(), changed))
    }

    func sign(header: String, payload: String) throws -> [UInt8] {
        try ProofMaker(key: key, algorithm: algorithm).sign(header: header, payload: payload)
    }
}

/// How a test's request differs from the one that proofs are for by default.
struct WorkloadCall {
    var path = ProofMaker.path
    var origins = ProofMaker.origins
    var aliases = ["urn:example:orders", "https://alias.example.test/x?y"]
    var workloadToken = WorkloadMaker.workloadToken
    var accessToken: String? = WorkloadMaker.accessToken
    var transactionToken: String?
    var boundKey: BoundKey?
    var policy = WorkloadMaker.policy
    var now = WorkloadMaker.now
    var fields: [String: String] = [:]
}

/// What is left of a verified proof when its evidence is gone.
struct WorkloadProofFacts: Equatable {
    var keyThumbprint: Digest256
    var identifier: Digest256
    var expiresAt: UnixTime
    var issuedAt: UnixTime?
    /// What a replay table said to it the first and the second time, if there was one.
    var outcomes: [ReplayOutcome] = []
}

/// What a verifier makes of a proof for a call by a workload whose key is the maker's, unless the call says otherwise.
func workloadVerdict(
    _ proof: [UInt8], by maker: WorkloadMaker? = nil, _ call: WorkloadCall = WorkloadCall(),
    table: ReplayTable? = nil
) throws -> Result<WorkloadProofFacts, WPTRejection> {
    let verifier = WPTVerifier(engine: try CryptographicEngine())
    let boundKey = try call.boundKey ?? (maker ?? WorkloadMaker.standard()).boundKey
    let accessToken = call.accessToken.map { Array($0.utf8) }
    let transactionToken = call.transactionToken.map { Array($0.utf8) }
    let expectation = WPTExpectation(
        origins: call.origins, path: call.path.utf8.span, aliases: call.aliases,
        workloadToken: call.workloadToken.utf8.span, accessToken: accessToken?.span,
        transactionToken: transactionToken?.span, boundKey: boundKey)
    do throws(WPTRejection) {
        let proof = try verifier.verify(proof.span, for: expectation, under: call.policy, now: call.now) { name in
            String(validating: name).flatMap { call.fields[$0] }.map { Array($0.utf8) }
        }
        var outcomes: [ReplayOutcome] = []
        if let table { outcomes = (0..<2).map { _ in table.insert(workload: proof, now: call.now) } }
        return .success(
            WorkloadProofFacts(
                keyThumbprint: proof.keyThumbprint, identifier: proof.identifier, expiresAt: proof.expiresAt,
                issuedAt: proof.issuedAt, outcomes: outcomes))
    } catch {
        return .failure(error)
    }
}

extension Result where Success == WorkloadProofFacts, Failure == WPTRejection {
    var isAccepted: Bool { rejection == nil }

    var rejection: WPTRejection? {
        if case .failure(let rejection) = self { return rejection }
        return nil
    }
}
