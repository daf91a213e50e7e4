import Configuration
import Testing

@testable import sallyport

@Suite("Where a gateway is administered")
struct AdminAddressTests {
    private func read(_ text: String) throws -> (ListenAddress, String) {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/sallyport.yaml"
        try FileSystem.write(text, to: file, isSecret: false)
        return (try AdminAddress.read(fromConfiguration: file), directory.path)
    }

    @Test("A relative path begins beside the file")
    func relative() throws {
        let (address, directory) = try read("admin:\n  address: \"unix:run/admin.sock\"\n")
        #expect(address == .unix(path: directory + "/run/admin.sock"))
    }

    @Test(
        "Other addresses are what they are",
        arguments: [
            ("unix:/run/a.sock", .unix(path: "/run/a.sock")),
            ("127.0.0.1:9900", .ip(host: "127.0.0.1", port: 9900)),
            ("\"[::1]:9900\"", .ip(host: "::1", port: 9900)),
        ] as [(String, ListenAddress)])
    func others(_ text: String, _ address: ListenAddress) throws {
        #expect(try read("admin: { address: \(text) }\n").0 == address)
    }

    @Test("Faults elsewhere in the file keep nobody from revoking")
    func faults() throws {
        let (address, _) = try read("listeners: 5\ncolour: blue\nadmin: { address: \"unix:/a\", allow: 7 }\n")
        #expect(address == .unix(path: "/a"))
    }

    @Test(
        "Without an address there is none",
        arguments: [
            "", "admin: 5\n", "admin: {}\n", "admin: { address: [] }\n", "admin: { address: nowhere }\n", "a: [",
        ])
    func none(_ text: String) {
        #expect(throws: CommandFailure.self) { try read(text) }
    }

    @Test("A file that is not there is named")
    func missing() {
        let failure = #expect(throws: CommandFailure.self) { try AdminAddress.read(fromConfiguration: "/no/such.yaml") }
        #expect(failure?.status == .couldNotRun)
        #expect(failure?.message?.contains("/no/such.yaml") == true)
    }
}
