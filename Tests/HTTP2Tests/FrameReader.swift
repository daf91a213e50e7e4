import Bytes
import HTTP
import HTTP2

/// Reads the frames that one side of a connection sends.
final class FrameReader {
    struct Frame: Equatable {
        var type: UInt8
        var flags: UInt8
        var stream: Int32
        var payload: [UInt8] = []
        /// HEADERS: the lines of the field block, continuations included.
        var fields: [String] = []

        var endsStream: Bool { flags & 0x1 != 0 }
        /// RST_STREAM, or the last word of GOAWAY.
        var code: UInt32 { number(at: type == 0x7 ? 4 : 0) }
        /// WINDOW_UPDATE, or the first word of GOAWAY.
        var value: UInt32 { number(at: 0) }

        private func number(at offset: Int) -> UInt32 {
            payload.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    private let blocks = FieldBlockReader()
    private var unread: [UInt8] = []

    /// The frames that are whole once `bytes` came.
    func read(_ bytes: [UInt8]) -> [Frame] {
        unread += bytes
        var frames: [Frame] = []
        while unread.count >= 9 {
            let count = Int(unread[0]) << 16 | Int(unread[1]) << 8 | Int(unread[2])
            guard unread.count >= 9 + count else { break }
            let stream = unread[5..<9].reduce(0) { $0 << 8 | UInt32($1) }
            let payload = Array(unread[9..<9 + count])
            let frame = Frame(type: unread[3], flags: unread[4], stream: Int32(stream), payload: payload)
            unread.removeFirst(9 + count)
            if frame.type == 0x9, var head = frames.popLast() {
                head.payload += frame.payload
                head.flags |= frame.flags
                frames.append(head)
            } else {
                frames.append(frame)
            }
            if let last = frames.last, last.type == 0x1, last.flags & 0x4 != 0 {
                frames[frames.count - 1].fields = blocks.read(last.payload) ?? ["malformed"]
            }
        }
        return frames
    }
}

extension HTTP2Connection {
    /// What goes out now, in pieces of `step` bytes.
    func output(step: Int = 1 << 20) -> [UInt8] {
        var output = ByteQueue()
        while wantsToSend {
            let before = output.count
            send(into: &output, upTo: step)
            if output.count == before { break }
        }
        return Array(copying: output.readable)
    }

    /// Takes all content of the stream that is buffered.
    func body(of stream: Int32, upTo limit: Int = .max) -> [UInt8] {
        var output = ByteQueue()
        _ = takeBody(of: stream, into: &output, upTo: limit)
        return Array(copying: output.readable)
    }

    /// Takes the trailers of the stream, as `name: value`; nothing where there are none.
    func trailers(of stream: Int32) -> [String]? {
        var table = FieldTable()
        return takeTrailers(of: stream, into: &table) ? lines(of: table) : nil
    }
}

/// A table as `name: value`.
func lines(of table: borrowing FieldTable) -> [String] {
    var lines: [String] = []
    for index in 0..<table.count {
        let name = String(decoding: Array(copying: table.name(index)), as: UTF8.self)
        lines.append("\(name): \(String(decoding: Array(copying: table.value(index)), as: UTF8.self))")
    }
    return lines
}

/// A table of those lines.
func table(of lines: [(String, String)]) -> FieldTable {
    var table = FieldTable()
    for (name, value) in lines { table.append(name: name.utf8.span, value: value.utf8.span) }
    return table
}
