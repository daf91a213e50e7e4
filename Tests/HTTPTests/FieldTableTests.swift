import Bytes
import HTTP
import Testing

@Suite("FieldTable")
struct FieldTableTests {
    static func text(_ bytes: Span<UInt8>) -> String { String(decoding: Array(copying: bytes), as: UTF8.self) }

    @Test("Every known name is recognised in any case, and a name like it is not", arguments: FieldName.allCases)
    func interns(name: FieldName) {
        guard name != .other else { return }
        let text = "\(name.text)"
        var table = FieldTable()
        for spelling in [text.uppercased(), text + "x", text.dropLast() + "_"] {
            table.append(name: Array(spelling.utf8).span, value: Array("v".utf8).span)
        }
        let known = (0..<3).map { table[$0].known }
        #expect(known == [name, .other, .other])
        let stored = Self.text(table.name(0))
        #expect(stored == text)
    }

    @Test("Lines keep their order and are found by name")
    func finds() {
        var table = FieldTable()
        table.append(.dpop, value: Array("1".utf8).span)
        table.append(literal: "x-a", value: Array("2".utf8).span)
        table.append(name: Array("DPoP".utf8).span, value: Array("3".utf8).span)
        let found = [table.firstIndex(of: .dpop), table.firstIndex(of: .dpop, from: 1), table.firstIndex(of: .te)]
        #expect(found == [0, 2, nil])
        let lines = table.lineCount(of: .dpop)
        #expect(lines == 2)
        let values = (0..<3).map { Self.text(table.value($0)) }
        #expect(values == ["1", "2", "3"])
        table.removeAll()
        let left = (table.count, table.byteCount)
        #expect(left == (0, 0))
    }
}
