import Bytes
import Testing

@testable import Control

@Suite("Unknown keys")
struct UnknownKeysTests {
    private let now = MonotonicTime(nanoseconds: 0)

    @Test("The oldest makes room")
    func isBounded() {
        var keys = UnknownKeys()
        for index in 0..<UnknownKeys.capacity { keys.insert("k-\(index)", at: now) }
        #expect(keys.contains("k-0", at: now))
        keys.insert("k-new", at: now)
        #expect(keys.count == UnknownKeys.capacity)
        #expect(!keys.contains("k-0", at: now))
        #expect(keys.contains("k-1", at: now))
        #expect(keys.contains("k-new", at: now))
    }

    @Test("One that is found missing again is remembered longer, once")
    func renews() {
        var keys = UnknownKeys()
        keys.insert("k", at: now)
        keys.insert("k", at: now + .seconds(30))
        #expect(keys.count == 1)
        #expect(keys.contains("k", at: now + .seconds(89)))
        #expect(!keys.contains("k", at: now + .seconds(90)))
    }

    @Test("Identifiers are compared byte for byte")
    func comparesBytes() {
        var keys = UnknownKeys()
        keys.insert("e\u{301}", at: now)
        #expect(keys.contains("e\u{301}", at: now))
        #expect(!keys.contains("é", at: now))
    }
}
