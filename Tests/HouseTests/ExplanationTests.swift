import Foundation
import Testing

@Suite("The house, where it explains")
struct ExplanationTests {
    @Test("Only an explanation may take a captured certificate for one whose holder has shown up")
    func keepsServingApart() throws {
        let folder = "/Sources/sallyport/Explanation/"
        let users = try ["System", "Protocol", "Enforcement", "Gateway", "sallyport"].flatMap { House.sources(of: $0) }
            .filter { try String(contentsOf: $0, encoding: .utf8).contains("@_spi(Explanation) import") }
        #expect(users.map(\.path).contains { $0.contains(folder) })
        let others = users.filter {
            !$0.path.contains(folder) && $0.lastPathComponent != "AuthenticatedCertificate.swift"
        }
        #expect(others.map(\.lastPathComponent) == [])
    }
}
