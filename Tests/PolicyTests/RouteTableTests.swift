import HTTP
import Policy
import Testing

@Suite("The table of routes")
struct RouteTableTests {
    private func match(
        _ table: RouteTable, _ path: String, method: String = "GET", host: String = "localhost:8443"
    ) throws -> String? {
        let target = try Trial.target(path)
        return table.match(method: method.utf8.span, host: host.utf8.span, target: target)?.name
    }

    private func table(_ paths: [String]) throws -> RouteTable {
        RouteTable(try paths.map { try Trial.route($0, name: $0) })
    }

    @Test("An empty table lets nothing pass")
    func empty() throws {
        #expect(try match(RouteTable([]), "/") == nil)
    }

    @Test("The first that matches is the one, whatever its shape")
    func order() throws {
        let forward = try table(["/a/b", "/a/{x}", "/{x}/b", "/{x...}"])
        #expect(try match(forward, "/a/b") == "/a/b")
        #expect(try match(forward, "/a/c") == "/a/{x}")
        #expect(try match(forward, "/c/b") == "/{x}/b")
        #expect(try match(forward, "/c/c") == "/{x...}")
        #expect(try match(forward, "/a/b/c") == "/{x...}")
        let backward = try table(["/{x...}", "/{x}/b", "/a/{x}", "/a/b"])
        #expect(try match(backward, "/a/b") == "/{x...}")
        let middle = try table(["/{x}/b", "/a/{x}", "/a/b", "/a/{x...}"])
        #expect(try match(middle, "/a/b") == "/{x}/b")
        #expect(try match(middle, "/a/c") == "/a/{x}")
        #expect(try match(middle, "/a/c/d") == "/a/{x...}")
    }

    @Test("A route whose method does not fit leaves the path to the next")
    func methods() throws {
        let table = RouteTable([
            try Trial.route("/a", methods: ["GET", "HEAD"], name: "read"),
            try Trial.route("/a", methods: ["POST"], name: "write"),
            try Trial.route("/b", methods: ["GET"], name: "get"),
            try Trial.route("/c", methods: [], name: "any"),
        ])
        #expect(try match(table, "/a", method: "GET") == "read")
        #expect(try match(table, "/a", method: "HEAD") == "read")
        #expect(try match(table, "/a", method: "POST") == "write")
        #expect(try match(table, "/a", method: "get") == nil)
        #expect(try match(table, "/a", method: "GET ") == nil)
        #expect(try match(table, "/a", method: "PUT") == nil)
        #expect(try match(table, "/b", method: "HEAD") == nil)
        #expect(try match(table, "/c", method: "PROPFIND") == "any")
    }

    @Test(
        "A host is compared without its port and without regard to case",
        arguments: [
            ("api.example.test", "api.example.test", true), ("api.example.test", "API.Example.TEST:8443", true),
            ("API.example.test", "api.example.test", true), ("api.example.test", "api.example.test:", true),
            ("api.example.test", "api.example.test.", false), ("api.example.test", "xapi.example.test", false),
            ("api.example.test", "", false), ("[::1]", "[::1]:8443", true), ("[::1]", "[::1]", true),
            ("[::1]", "[::2]", false), ("api.example.test:8443", "api.example.test:8443", false),
        ])
    func hosts(host: String, authority: String, expected: Bool) throws {
        let table = RouteTable([try Trial.route("/a", host: host, name: "hosted")])
        #expect(try match(table, "/a", host: authority) == (expected ? "hosted" : nil))
    }

    @Test("Without a host a route is for all of them")
    func anyHost() throws {
        let table = RouteTable([
            try Trial.route("/a", host: "one", name: "one"), try Trial.route("/a", name: "all"),
        ])
        #expect(try match(table, "/a", host: "one:1") == "one")
        #expect(try match(table, "/a", host: "two") == "all")
    }

    @Test("The index finds what asking every route in turn would find")
    func againstLinear() throws {
        var generator = SeededGenerator(state: 7)
        let words = ["a", "b", "c", "{x}", "{y...}", ""]
        func path(_ words: [String]) -> String {
            let count = Int.random(in: 0...4, using: &generator)
            var segments = (0..<count).compactMap { _ in words.randomElement(using: &generator) }
            segments = segments.enumerated().map { $1.isEmpty && $0 < count - 1 ? "a" : $1 }
            segments = segments.enumerated().map { $1 == "{x}" ? "{x\($0)}" : $1 }
            segments = segments.enumerated().map { $1 == "{y...}" && $0 < count - 1 ? "b" : $1 }
            return "/" + segments.joined(separator: "/")
        }
        for _ in 0..<200 {
            let routes = try (0..<30).map { index in
                let methods = [["GET"], ["POST"], []].randomElement(using: &generator) ?? []
                return try Trial.route(path(words), methods: methods, name: "\(index)")
            }
            let table = RouteTable(routes)
            for _ in 0..<50 {
                let text = path(["a", "b", "c", "d", ""])
                let target = try Trial.target(text)
                let linear = routes.first { route in
                    (route.match.methods.isEmpty || route.match.methods == ["GET"]) && route.match.path.matches(target)
                }
                #expect(try match(table, text) == linear?.name, "\(text) among \(routes.map(\.match.path.text))")
            }
        }
    }

    @Test("Ten thousand routes under one prefix are told apart")
    func many() throws {
        let table = try table((0..<10_000).map { "/api/v1/thing\($0)/{id}" } + ["/{all...}"])
        for index in stride(from: 0, to: 10_000, by: 37) {
            #expect(try match(table, "/api/v1/thing\(index)/x") == "/api/v1/thing\(index)/{id}")
        }
        #expect(try match(table, "/api/v1/thing10000/x") == "/{all...}")
    }
}

/// The same numbers in every run (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
