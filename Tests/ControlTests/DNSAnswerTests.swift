import Bytes
import Testing

@testable import Control

@Suite("DNSAnswer")
struct DNSAnswerTests {
    /// A message of parts, each part of one answer record.
    struct Message: Sendable {
        var flags: UInt16 = 0x8180
        var questions = [name("orders", "example") + [0, 1, 0, 1]]
        var answers: [[UInt8]] = []
        var answerCount: Int?

        static func name(_ labels: String...) -> [UInt8] {
            labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
        }

        /// A record whose name is a pointer to the question's.
        static func record(
            _ type: UInt16, ttl: UInt32, class: UInt16 = 1, name: [UInt8] = [0xC0, 0x0C], data: [UInt8] = [10, 0, 0, 1]
        ) -> [UInt8] {
            name + big(type) + big(`class`) + big(UInt16(ttl >> 16)) + big(UInt16(truncatingIfNeeded: ttl))
                + big(UInt16(data.count)) + data
        }

        static func big(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }

        var bytes: [UInt8] {
            let head =
                [0x12, 0x34] + Self.big(flags) + Self.big(UInt16(questions.count))
                + Self.big(UInt16(answerCount ?? answers.count)) + [0, 0, 0, 0]
            return head + questions.flatMap(\.self) + answers.flatMap(\.self)
        }
    }

    private func read(_ bytes: [UInt8]) -> DNSAnswer? { DNSAnswer(bytes.span) }

    @Test("The least time to live of the records that lead to addresses counts")
    func least() {
        let message = Message(answers: [
            Message.record(5, ttl: 300, data: Message.name("a", "b")), Message.record(1, ttl: 60),
            Message.record(1, ttl: 61), Message.record(28, ttl: 70, data: [UInt8](repeating: 0, count: 16)),
        ])
        #expect(read(message.bytes)?.timeToLive == 60)
    }

    @Test("A chain of names holds no longer than its shortest part")
    func chain() {
        let message = Message(answers: [
            Message.record(39, ttl: 9, data: Message.name("a")), Message.record(5, ttl: 7, data: Message.name("b")),
            Message.record(1, ttl: 3600),
        ])
        #expect(read(message.bytes)?.timeToLive == 7)
    }

    @Test("Other records and classes say nothing")
    func others() {
        let message = Message(answers: [
            Message.record(16, ttl: 1), Message.record(46, ttl: 2), Message.record(1, ttl: 3, class: 3),
        ])
        #expect(read(message.bytes) != nil)
        #expect(read(message.bytes)?.timeToLive == nil)
    }

    @Test("Names may be written out, or end with a pointer")
    func names() {
        let message = Message(answers: [
            Message.record(1, ttl: 50, name: Message.name("orders", "example")),
            Message.record(1, ttl: 40, name: [3] + Array("www".utf8) + [0xC0, 0x0C]),
            Message.record(1, ttl: 45, name: [0]),
        ])
        #expect(read(message.bytes)?.timeToLive == 40)
    }

    @Test(
        "A time to live with its highest bit set is none (RFC 2181)",
        arguments: [(UInt32(0), UInt32(0)), (0x7FFF_FFFF, 0x7FFF_FFFF), (0x8000_0000, 0), (0xFFFF_FFFF, 0)])
    func highBit(_ written: UInt32, _ read: UInt32) {
        #expect(self.read(Message(answers: [Message.record(1, ttl: written)]).bytes)?.timeToLive == read)
    }

    @Test(
        "What is no answer, is cut off or tells of an error is not read",
        arguments: [
            (UInt16(0x0100), false), (0x8380, false), (0x8182, false), (0x8183, false), (0x8180, true), (0x8580, true),
        ])
    func flags(_ flags: UInt16, _ isRead: Bool) {
        let message = Message(flags: flags, answers: [Message.record(1, ttl: 5)])
        #expect((read(message.bytes) != nil) == isRead)
    }

    @Test("A message that ends anywhere before its end is not read")
    func prefixes() {
        let bytes = Message(answers: [Message.record(5, ttl: 5, data: Message.name("a")), Message.record(1, ttl: 6)])
            .bytes
        #expect(read(bytes)?.timeToLive == 5)
        for count in 0..<bytes.count { #expect(read(Array(bytes[..<count])) == nil, "\(count) bytes") }
    }

    @Test(
        "A malformed message is not read",
        arguments: [
            // More answers than there are, a label of a reserved kind, data that is longer than the message.
            Message(answers: [Message.record(1, ttl: 5)], answerCount: 2).bytes,
            Message(answers: [Message.record(1, ttl: 5, name: [0x40, 0])]).bytes,
            Message(answers: [Message.record(1, ttl: 5, name: [0x80, 0])]).bytes,
            Message(questions: [[63] + Array("short".utf8)], answers: []).bytes,
            Message(answers: [Message.record(1, ttl: 5).dropLast(4) + [0xFF]]).bytes,
        ])
    func malformed(_ bytes: [UInt8]) {
        #expect(read(bytes) == nil)
    }

    @Test("No bytes whatever make the reader leave the message")
    func noise() {
        var state: UInt64 = 11
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let valid = Message(answers: [Message.record(5, ttl: 5, data: Message.name("a")), Message.record(1, ttl: 6)])
            .bytes
        var read = 0
        for _ in 0..<20_000 {
            var bytes = valid
            for _ in 0...(next() & 3) { bytes[Int(next()) % bytes.count] = next() }
            if DNSAnswer(bytes.span) != nil { read += 1 }
        }
        #expect(read > 0 && read < 20_000)
    }
}
