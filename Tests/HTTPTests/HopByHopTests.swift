import Bytes
import HTTP
import Testing

@Suite("HopByHop")
struct HopByHopTests {
    static func covered(_ lines: [(String, String)]) -> [String] {
        var table = FieldTable()
        for (name, value) in lines { table.append(name: Array(name.utf8).span, value: Array(value.utf8).span) }
        let rule = HopByHop(table)
        var names: [String] = []
        for index in 0..<table.count where rule.covers(index, of: table) {
            names.append(String(decoding: Array(copying: table.name(index)), as: UTF8.self))
        }
        return names
    }

    @Test("Connection-specific fields end here by name, others go on")
    func byName() {
        let names = [
            "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
            "HTTP2-Settings", "Proxy-Authorization", "Proxy-Authenticate",
        ]
        #expect(Self.covered(names.map { ($0, "close") }) == names.map { $0.lowercased() })
        #expect(Self.covered(["Accept", "Cookie", "X-Upgrade", "Content-Length"].map { ($0, "x") }).isEmpty)
    }

    @Test("Fields that any Connection line nominates end here, and no others")
    func nominated() {
        let lines = [
            ("connection", "close"), ("X-One", "1"), ("connection", "keep-alive , x-ONE,, x-three"), ("x-two", "2"),
            ("connection", "x-four"), ("x-three", "3"), ("X-Four", "4"), ("x-thre", "5"),
        ]
        let expected = ["connection", "x-one", "connection", "connection", "x-three", "x-four"]
        #expect(Self.covered(lines) == expected)
        #expect(Self.covered(lines.filter { $0.0 != "connection" }).isEmpty)
    }

    @Test("A trailer can be nominated too")
    func trailers() {
        var table = FieldTable()
        table.append(name: Array("connection".utf8).span, value: Array("close, X-One".utf8).span)
        let rule = HopByHop(table)
        let one = rule.nominates(Array("x-one".utf8).span, of: table)
        let two = rule.nominates(Array("x-two".utf8).span, of: table)
        #expect(one && !two)
    }
}
