import Reactor
import Testing

@Suite("The slot map")
struct SlotMapTests {
    private final class Entry {}

    @Test("An entry is found by its key")
    func finds() {
        var map = SlotMap<Entry>()
        let entry = Entry()
        let key = map.insert(entry)
        #expect(map[key] === entry)
        #expect(map.count == 1)
    }

    @Test("A key of a removed entry finds nothing, also when its slot is used again")
    func tellsGenerationsApart() {
        var map = SlotMap<Entry>()
        let old = map.insert(Entry())
        map.remove(old)
        let entry = Entry()
        let new = map.insert(entry)
        #expect(map[old] == nil)
        #expect(map[new] === entry)
        #expect(old != new)
    }

    @Test("Removing twice removes once")
    func removesOnce() {
        var map = SlotMap<Entry>()
        let key = map.insert(Entry())
        map.remove(key)
        map.remove(key)
        let first = map.insert(Entry())
        let second = map.insert(Entry())
        #expect(first != second)
        #expect(map.count == 2)
    }

    @Test("A key that was never given finds nothing")
    func refusesForeignKeys() {
        var map = SlotMap<Entry>()
        _ = map.insert(Entry())
        #expect(map[SlotKey(rawValue: 0)] == nil)
        #expect(map[SlotKey(rawValue: 1 << 32 | 99)] == nil)
    }
}
