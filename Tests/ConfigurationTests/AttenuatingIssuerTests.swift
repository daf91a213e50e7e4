import Bytes
import Foundation
import Testing
import Tokens

@testable import Configuration

@Suite("What attenuating tokens are configured by")
struct AttenuatingIssuerTests {
    private let files: TrialFiles

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    private func configuration(_ changes: [(String, String)]) throws -> GatewayConfiguration {
        var text = TrialFiles.example
        for (part, replacement) in changes {
            try #require(text.components(separatedBy: part).count == 2, "\(part) must be in the example once")
            text = text.replacingOccurrences(of: part, with: replacement)
        }
        return try files.load(text).get()
    }

    @Test("An issuer of attenuating tokens has audiences, keys and the clock leeway of most")
    func issuer() throws {
        let trustDomains = "    trust_domains: [example.test]\n"
        let configuration = try configuration([
            ("profile: oauth", "profile: aat"), (trustDomains, ""), ("    clock_leeway: 30s\n", ""),
        ])
        let issuer = try #require(configuration.issuers.first)
        #expect(issuer.profile == .aat && issuer.clockLeeway == .seconds(30))
        #expect(issuer.audiences == ["https://localhost:8443"] && issuer.trustDomains == nil)
    }

    @Test(
        "A chain has 16 KiB, or what a token leaves of the head, or what is said",
        arguments: [
            ("32KiB", "8KiB", nil, 16), ("16KiB", "8KiB", nil, 8), ("20KiB", "8KiB", nil, 12),
            ("64KiB", "8KiB", "48KiB", 48), ("64KiB", "8KiB", nil, 16), ("32KiB", "8KiB", "23KiB", 23),
        ] as [(String, String, String?, Int)])
    func limits(header: String, token: String, chain: String?, expected: Int) throws {
        let limits = try configuration([
            ("header_bytes: 32KiB", "header_bytes: \(header)"),
            ("token_bytes: 8KiB", "token_bytes: \(token)" + (chain.map { ", chain_bytes: \($0)" } ?? "")),
        ]).limits
        #expect(limits.chainBytes == expected << 10)
    }
}
