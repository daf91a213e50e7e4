import Delegation
import Foundation
import Possession
import Testing
import Tokens

@testable import sallyport

/// The reasons for refusals that stand in the sources: what no enum lists cannot be forgotten this way.
private enum Reasons {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Where refusals come from; folders are read whole.
    private static let places = [
        "Sources/Enforcement/Tokens/TokenRejection.swift", "Sources/Enforcement/Delegation/LineageFault.swift",
        "Sources/Enforcement/Possession/DPoPRejection.swift",
        "Sources/Enforcement/Possession/WPTRejection.swift", "Sources/Enforcement/Possession/PossessionFailure.swift",
        "Sources/Enforcement/Possession/ProofNovelty.swift", "Sources/Enforcement/Policy/PolicyDenial.swift",
        "Sources/Enforcement/Revocation/RevokedCredential.swift", "Sources/Enforcement/Identity",
        "Sources/Protocol/HTTP/TargetError.swift", "Sources/Protocol/HTTP/MessageFault.swift",
        "Sources/Protocol/TLS", "Sources/Gateway/Exchange",
    ]
    private static let families = [
        "certificate", "credentials", "dpop", "forward", "limit", "lineage", "malformed", "policy", "possession",
        "replay",
        "revocation", "route", "svid", "target", "token", "wpt",
    ]

    private static func files(at place: String) -> [URL] {
        let url = root.appending(path: place)
        guard !place.hasSuffix(".swift") else { return [url] }
        let all = FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil)?.allObjects as? [URL] ?? []
        return all.filter { $0.pathExtension == "swift" }
    }

    /// What may stand behind a literal that ends with a dot.
    private static func endings(of start: String) -> [String] {
        switch start {
        case "policy.claim.": ["model"]
        case "lineage.": LineageFault.Kind.allCases.map(\.rawValue)
        case "token.claim-invalid.", "token.claim-missing.": RegisteredClaim.allCases.map(\.rawValue)
        case "dpop.claim-invalid.", "dpop.claim-missing.": DPoPClaim.allCases.map(\.rawValue)
        case "wpt.claim-invalid.", "wpt.claim-missing.", "wpt.claim-unexpected.": WPTClaim.allCases.map(\.rawValue)
        case "token.", "dpop.", "wpt.":
            [
                JWSError.algorithm, .critical, .encrypted, .header, .key, .keyAlgorithm, .malformed, .signature,
            ].map(\.word)
        default: []
        }
    }

    /// Every reason of the sources; the second part: literals that end with a dot and that nothing is known of.
    static func read() throws -> (reasons: Set<String>, unknown: [String]) {
        var reasons: Set<String> = []
        var unknown: [String] = []
        for file in places.flatMap(files) {
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: /"([a-z]+)(\.[a-z0-9.-]*)"/)
            where families.contains(String(match.1)) {
                let literal = String(match.1 + match.2)
                guard literal.hasSuffix(".") else {
                    reasons.insert(literal)
                    continue
                }
                let endings = endings(of: literal)
                if endings.isEmpty { unknown.append(literal) }
                reasons.formUnion(endings.map { literal + $0 })
            }
        }
        return (reasons, unknown)
    }
}

@Suite("RuleSource")
struct RuleSourceTests {
    @Test("Every reason for a refusal has a rule and a source")
    func isComplete() throws {
        let (reasons, unknown) = try Reasons.read()
        #expect(unknown == [])
        #expect(reasons.count > 200)
        #expect(reasons.filter { RuleSource(reason: $0) == nil }.sorted() == [])
    }

    @Test("Every row of the table is about a reason that exists")
    func isNotMore() throws {
        // It is said where the handshake fails, among what is no reason for a refusal by a rule.
        let reasons = try Reasons.read().reasons.union(["certificate.missing"])
        let idle = RuleSource.reasons.filter { row in
            !reasons.contains { $0 == row || $0.hasPrefix(row + ".") }
        }
        #expect(idle == [])
    }

    @Test("No sentence is left with a hole or ends like one", arguments: RuleSource.reasons)
    func isWhole(_ reason: String) throws {
        let rule = try #require(RuleSource(reason: reason + ".exp"))
        #expect(!rule.sentence.contains("*"))
        #expect(!rule.sentence.hasSuffix("."))
        #expect(!rule.source.isEmpty)
    }

    @Test(
        "A reason is told with its rule",
        arguments: [
            ("dpop.htu", "RFC 9449 §4.3 step 9: the proof's htu is not the URI of the request"),
            ("token.claim-missing.exp", "RFC 9068 §2.2: the claim exp is missing"),
            (
                "token.claim-invalid.cnf",
                "RFC 7800 §3.1: the confirmation is malformed, or shows a key that it may not show"
            ),
            (
                "policy.claim.build.image",
                "routes[].require.claims: the claim build.image is absent, or not what the route asks for"
            ),
        ])
    func told(_ reason: String, _ text: String) {
        #expect(RuleSource(reason: reason)?.description == text)
    }

    @Test("What nobody says has no rule", arguments: ["", "token", "token.nothing", "dpop", "xdpop.htu"])
    func unknown(_ reason: String) {
        #expect(RuleSource(reason: reason) == nil)
    }
}
