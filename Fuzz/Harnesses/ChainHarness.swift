import Bytes
import Cryptography
import Delegation
import Foundation
import Support
import Tokens

/// Chains of attenuating agent tokens: none is accepted that holds more than its root, lives longer, or has a gap.
///
/// An input is the payloads from the root to the leaf, one a line; the harness signs them, the first with the issuer's key and
/// the others with the one key that all holders share, and puts the hash of the token before in place of `@`.
final class ChainHarness: Harness {
    private static let holder =
        "urn:ietf:params:oauth:jwk-thumbprint:sha-256:kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    private static let header = ["ES256", "Ed25519"].map { Array(#"{"alg":"\#($0)","typ":"aat+jwt"}"#.utf8) }

    private let owner: PrivateKey
    private let stranger: PrivateKey
    private let verifier: TokenVerifier
    private let issuers: IssuerTable
    private let others: IssuerTable

    init() throws {
        owner = try PublishedKey.ellipticCurve()
        stranger = try PublishedKey.ed25519()
        verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8, cacheSeed: 1)
        issuers = try Self.table(Broker(key: owner, algorithm: .es256))
        others = try Self.table(Broker(key: stranger, algorithm: .ed25519))
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        let payloads = Array(copying: input).split(separator: UInt8(ascii: "\n"), maxSplits: 20).map { Array($0) }
        guard let tokens = tokens(payloads), let leaf = tokens.last else { return false }
        let ancestors = Array(tokens.dropLast())
        guard let claims = verify(leaf, after: ancestors) else {
            try demand(verify(leaf, after: ancestors) == nil, "what is refused once is refused again")
            return false
        }
        try demand(verify(leaf, after: ancestors) === claims, "a chain is remembered")
        try demand(verify(leaf, after: ancestors, among: others) == nil, "a chain is of one issuer's key")
        try demand(
            verify(leaf, after: ancestors, at: claims.expiresAt + .seconds(31)) == nil, "a chain has its time")
        try demand(claims.delegationDepth == ancestors.count, "every token before the last is a link")
        try demand(claims.subject == Self.holder, "the last token's holder calls")
        for place in ancestors.indices {
            var fewer = ancestors
            fewer.remove(at: place)
            try demand(verify(leaf, after: fewer) == nil, "a chain with a gap does not hold")
        }
        // A root that names no audience is good for nothing alone.
        if let root = verify(tokens[0], after: []) { try check(claims, tokens, under: root) }
        return true
    }

    private func check(
        _ leaf: TokenClaims, _ tokens: [[UInt8]], under root: TokenClaims
    ) throws(Violation) {
        try demand(leaf.expiresAt <= root.expiresAt, "nothing outlives its root")
        try demand(leaf.sponsor == root.sponsor && leaf.task == root.task, "the purpose is the root's")
        var identifiers: Set<String> = []
        for token in tokens {
            let jws = try demand(try? CompactJWS(token.span), "a token is a JWS")
            let object = try? JSONSerialization.jsonObject(with: Data(jws.payload)) as? [String: Any]
            if let name = object?["jti"] as? String { identifiers.insert(name) }
        }
        try demand(identifiers.count == tokens.count, "no token is in a chain twice")
        let (held, granted) = (leaf.capabilities ?? .none, root.capabilities ?? .none)
        for tool in held.tools.keys {
            for identifier in ["42", "43", "*", "a"] {
                let call = AttenuatingCall(
                    tool: tool, arguments: [Array("identifier".utf8): .value(.string(identifier))])
                try demand(!held.allow(call) || granted.allow(call), "a root allows what its descendants do")
            }
        }
    }

    private static func table(_ broker: Broker) throws -> IssuerTable {
        IssuerTable([try broker.issuer(profile: .aat, algorithms: [.es256, .ed25519], keys: try broker.keySet())])
    }

    private func tokens(_ payloads: [[UInt8]]) -> [[UInt8]]? {
        var tokens: [[UInt8]] = []
        for payload in payloads {
            let isRoot = tokens.isEmpty
            let hash = tokens.last.flatMap { try? Delegators.hash(of: $0) } ?? ""
            let whole = payload.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
                .joined(separator: Array(hash.utf8))
            guard
                let token = CompactForm.sign(Self.header[isRoot ? 0 : 1], Array(whole), with: isRoot ? owner : stranger)
            else { return nil }
            tokens.append(token)
        }
        return tokens
    }

    private func verify(
        _ leaf: [UInt8], after ancestors: [[UInt8]], at now: UnixTime = Broker.now, among table: IssuerTable? = nil
    ) -> TokenClaims? {
        let chain = ancestors.listed
        do throws(TokenRejection) {
            let token = try verifier.verify(
                leaf.span, after: chain.span, among: table ?? issuers, subjectsWithin: nil, now: now)
            return token.claims
        } catch {
            return nil
        }
    }
}
