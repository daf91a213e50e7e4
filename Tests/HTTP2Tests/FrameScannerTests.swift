import Testing

@testable import HTTP2

@Suite("FrameScanner")
struct FrameScannerTests {
    private func scan(_ bytes: [UInt8], step: Int, preface: Int = 3) -> [FrameScanner.Header] {
        var scanner = FrameScanner(preface: preface)
        var began: [FrameScanner.Header] = []
        var ended: [FrameScanner.Header] = []
        var offset = 0
        while offset < bytes.count {
            let end = min(bytes.count, offset + step)
            let piece = scanner.next(bytes.span.extracting(offset..<end))
            #expect(piece.count > 0 && piece.count <= end - offset)
            if let header = piece.began { began.append(header) }
            if let header = piece.ended { ended.append(header) }
            offset += piece.count
        }
        #expect(began.starts(with: ended))
        return began
    }

    @Test("Frames are found however their bytes are cut", arguments: [1, 2, 5, 9, 10, 17, 1000])
    func cuts(_ step: Int) {
        let frames =
            Frames.ping + Frames.settings([]) + Frames.data(1, [UInt8](repeating: 0x6, count: 300))
            + Frames.raw(0xab, stream: 9, [1]) + Frames.continuation(1, [1, 2], end: true)
        let expected: [FrameScanner.Header] = [
            .init(type: .ping, length: 8), .init(type: .settings, length: 0), .init(type: .data, length: 300),
            .init(type: nil, length: 1), .init(type: .continuation, length: 2),
        ]
        #expect(scan([1, 2, 3] + frames, step: step) == expected)
    }

    @Test("The length has three bytes")
    func length() {
        #expect(scan([1, 2, 3, 3, 0, 0, 0, 0, 0], step: 9, preface: 0) == [.init(type: .rstStream, length: 0x01_0203)])
    }

    @Test("A frame that is not whole has begun, and not ended")
    func partial() {
        var scanner = FrameScanner(preface: 0)
        let piece = scanner.next(Array(Frames.ping.dropLast()).span)
        #expect(piece == .init(count: 16, began: .init(type: .ping, length: 8)))
        #expect(scanner.next([8].span) == .init(count: 1, ended: .init(type: .ping, length: 8)))
    }
}
