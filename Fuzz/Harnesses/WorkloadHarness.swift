import Bytes
import Cryptography
import Foundation
import Identity
import Support
import Tokens

/// Workload Identity Tokens of two issuers, one of each profile: none is accepted but by the key of the issuer that may vouch
/// for the workload's trust domain, and each is bound to a key that is public.
final class WorkloadHarness: Harness {
    private static let trustDomains = [TokenProfile.wimse: "example.test", .witSVID: "svid.test"]

    private let owner: PrivateKey
    private let stranger: PrivateKey
    private let engine: CryptographicEngine
    private let verifier: TokenVerifier
    private let issuers: IssuerTable
    private let others: IssuerTable

    init() throws {
        owner = try PublishedKey.ellipticCurve()
        stranger = try PublishedKey.ed25519()
        engine = try CryptographicEngine()
        verifier = TokenVerifier(engine: engine, cacheCapacity: 8, cacheSeed: 1)
        issuers = try Self.table(Broker(key: owner, algorithm: .es256))
        others = try Self.table(Broker(key: stranger, algorithm: .ed25519))
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        let now = Broker.now
        guard let claims = verify(input, at: now) else {
            try demand(verify(input, at: now) == nil, "what is refused once is refused again")
            return false
        }
        let jws = try demand(try? CompactJWS(input), "a token is a JWS")
        let message = input.extracting(jws.signingInput)
        let signature = jws.signature
        try demand(
            engine.verifies(signature.span, of: message, by: owner.publicKey, with: .es256),
            "a token is signed by its issuer's key")
        try check(claims, jws.payload)
        try demand(verify(input, at: now) === claims, "a token is remembered")
        try demand(verify(input, at: now, among: others) == nil, "a token is of one issuer's key")
        try demand(verify(input, at: claims.expiresAt + .seconds(31)) == nil, "a token has its time")
        let access = Result { () throws(TokenRejection) in
            try verifier.verify(input, among: issuers, subjectsWithin: nil, now: now).claims
        }
        guard case .failure = access else { throw Violation(property: "a workload's token is no access token") }
        return true
    }

    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? {
        CompactForm.mutated(input, by: mutation, owner: owner, stranger: stranger)
    }

    private static func table(_ broker: Broker) throws -> IssuerTable {
        let keys = try broker.keySet(keyID: "k-1")
        return IssuerTable(
            try trustDomains.sorted { $0.value < $1.value }.map { profile, trustDomain in
                try broker.issuer(
                    named: "https://\(trustDomain)", profile: profile, trustDomains: [trustDomain], keys: keys)
            })
    }

    private func verify(_ input: Span<UInt8>, at now: UnixTime, among table: IssuerTable? = nil) -> TokenClaims? {
        do throws(TokenRejection) {
            return try verifier.verifyWorkload(input, among: table ?? issuers, subjectsWithin: nil, now: now).claims
        } catch {
            return nil
        }
    }

    private func check(_ claims: TokenClaims, _ payload: [UInt8]) throws(Violation) {
        let object = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any]
        let members = try demand(object, "Foundation reads the claims as an object")
        try demand(members["sub"] as? String == claims.subject, "the subject is what Foundation reads")
        let trustDomain = try demand(Self.trustDomains[claims.profile], "the profile is one for workloads")
        let rest = claims.subject.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).dropFirst(2)
        let path = rest.first ?? ""
        try demand(
            path == trustDomain || path.hasPrefix(trustDomain + "/"), "the issuer may vouch for the trust domain")
        if let issuer = members["iss"] as? String {
            try demand(issuer == "https://\(trustDomain)", "the issuer is the one of the trust domain")
        }
        let key = try demand(claims.confirmations.publicKey, "a workload's token is bound to a key")
        let algorithm = try demand(key.algorithm, "the key names its algorithm")
        try demand(key.publicKey.accepts(algorithm), "the key suits its algorithm")
        try demand(claims.expiresAt + .seconds(30) > Broker.now, "a token that is accepted is not over")
    }
}
