/// Follows the peer's frames through its bytes: where each begins and ends, and of what type it is (RFC 9113 §4.1).
///
/// The library tells of the frames that it heeds. Those that it passes over, because their stream is gone or their type
/// unknown, must be counted too, so they are counted here.
struct FrameScanner {
    /// The bytes up to the end of a frame, or of the input.
    struct Piece: Equatable {
        var count = 0
        /// The header of a frame was completed by these bytes.
        var began: Header?
        /// A frame was completed by these bytes.
        var ended: Header?
    }

    /// The parts of a frame's header that matter here.
    struct Header: Equatable {
        var type: FrameType?
        var length: Int
    }

    private static let headerLength = 9

    /// Bytes of the preface that are still to come.
    private var prefaceLeft: Int
    private var header = Header(type: nil, length: 0)
    private var headerCount = 0
    private var payloadLeft = 0

    /// Makes a scanner; `preface`: the number of bytes before the first frame.
    init(preface: Int) {
        prefaceLeft = preface
    }

    /// Takes the bytes up to the end of the frame that they are of.
    mutating func next(_ bytes: Span<UInt8>) -> Piece {
        guard prefaceLeft == 0 else {
            let count = min(prefaceLeft, bytes.count)
            prefaceLeft -= count
            return Piece(count: count)
        }
        var piece = Piece()
        while headerCount < Self.headerLength, piece.count < bytes.count {
            take(bytes[piece.count])
            piece.count += 1
            if headerCount == Self.headerLength {
                payloadLeft = header.length
                piece.began = header
            }
        }
        guard headerCount == Self.headerLength else { return piece }
        let count = min(payloadLeft, bytes.count - piece.count)
        piece.count += count
        payloadLeft -= count
        if payloadLeft == 0 {
            piece.ended = header
            headerCount = 0
        }
        return piece
    }

    private mutating func take(_ byte: UInt8) {
        switch headerCount {
        case 0: header.length = Int(byte)
        case 1, 2: header.length = header.length << 8 | Int(byte)
        case 3: header.type = FrameType(rawValue: byte)
        default: break
        }
        headerCount += 1
    }
}
