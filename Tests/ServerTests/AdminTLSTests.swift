import Configuration
import Cryptography
import Testing

@testable import Server

@Suite("The admin server on a port")
struct AdminTLSTests {
    private static let pattern = "spiffe://example.test/operator/*"
    private static let alice = "spiffe://example.test/operator/alice"
    private let world: OperatorWorld

    init() throws {
        world = try OperatorWorld()
    }

    private func connect(
        _ admin: TrialAdmin, _ name: String?, of authority: CertificateAuthority? = nil
    ) throws
        -> TrialOperator
    {
        let connection = try admin.connect()
        try connection.secure(try world.client(name, of: authority))
        return connection
    }

    @Test("An operator who is allowed is served by name")
    func allowed() throws {
        let admin = try TrialAdmin(world, allowed: [Self.pattern])
        let connection = try connect(admin, Self.alice)
        for _ in 0..<2 {
            try connection.send(TrialAdmin.request("GET", "/v1/status"))
            #expect(try connection.answer()?.status == 204)
        }
        #expect(admin.desk.requests == [.status, .status])
        #expect(admin.desk.actors == [Self.alice, Self.alice])
        #expect(admin.desk.refused.isEmpty)
    }

    @Test(
        "Anybody else of the trust domain is sent away",
        arguments: [
            "spiffe://example.test/agent/a", "spiffe://example.test/operator", "spiffe://example.test/Operator/a",
        ]
    )
    func notAllowed(_ name: String) throws {
        let admin = try TrialAdmin(world, allowed: [Self.pattern])
        let connection = try connect(admin, name)
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        let answer = try #require(try connection.answer())
        #expect(answer.status == 403)
        #expect(answer.body.contains("\(name) is not in admin.allow"))
        #expect(try connection.sawEnd())
        #expect(admin.desk.requests.isEmpty)
        #expect(admin.desk.refused.map(\.reason) == ["admin.not-allowed"])
    }

    @Test("Without a certificate there is no connection")
    func noCertificate() throws {
        let admin = try TrialAdmin(world, allowed: [Self.pattern])
        let connection = try connect(admin, nil)
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try connection.answer() == nil)
        #expect(admin.desk.requests.isEmpty)
        #expect(admin.desk.refused.map(\.reason) == ["certificate.missing"])
    }

    @Test("A certificate of another authority is none")
    func otherAuthority() throws {
        let admin = try TrialAdmin(world, allowed: [Self.pattern])
        let connection = try connect(admin, Self.alice, of: world.servers)
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try connection.answer() == nil)
        #expect(admin.desk.requests.isEmpty)
        #expect(admin.desk.refused.count == 1)
    }

    @Test("Plain HTTP is not answered")
    func plain() throws {
        let admin = try TrialAdmin(world, allowed: [Self.pattern])
        let connection = try admin.connect()
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try connection.answer() == nil)
        #expect(try connection.sawEnd())
        #expect(admin.desk.requests.isEmpty)
    }

    @Test("An operator who is revoked is sent away from the next request on")
    func revoked() throws {
        let admin = try TrialAdmin(world, allowed: [Self.pattern])
        let connection = try connect(admin, Self.alice)
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try connection.answer()?.status == 204)
        admin.desk.revokesOperators = true
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try connection.answer()?.status == 401)
        #expect(try connection.sawEnd())
        #expect(admin.desk.requests.count == 1)
    }

    @Test("Who is allowed anew comes in, and who is no more does not stay")
    func adopted() throws {
        let admin = try TrialAdmin(world, allowed: [Self.pattern])
        let connection = try connect(admin, Self.alice)
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try connection.answer()?.status == 204)
        try admin.server.adopt(world.configuration(allowed: ["spiffe://example.test/chief"]))
        #expect(try connection.sawEnd())
        let again = try connect(admin, Self.alice)
        try again.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try again.answer()?.status == 403)
        let chief = try connect(admin, "spiffe://example.test/chief")
        try chief.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try chief.answer()?.status == 204)
    }
}
