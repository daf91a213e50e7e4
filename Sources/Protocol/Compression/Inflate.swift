import Bytes
import CZlib

/// Expands compressed data, never to more than it is told.
public enum Inflate {
    /// The most that is taken at once: what expands to little costs little, whatever it claims.
    private static let blockSize = 64 << 10

    /// Expands the zlib format (RFC 1950 around RFC 1951) with its checksum.
    ///
    /// - Parameters:
    ///   - bytes: exactly one stream: whatever follows it is malformed.
    ///   - limit: the most bytes that it may expand to.
    public static func zlib(_ bytes: Span<UInt8>, atMost limit: Int) throws(CompressionError) -> [UInt8] {
        let stream = try InflateStream()
        return try stream.expand(bytes, atMost: limit, by: blockSize)
    }
}

/// The library's state for one stream.
///
/// Only this class reaches the state, which does not move while it lives: the library keeps a pointer back to it. The pointers
/// into input and output are set for one call of the library, within the closures that they are valid in.
@safe
private final class InflateStream {
    private let state: UnsafeMutablePointer<z_stream>

    init() throws(CompressionError) {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        let status = unsafe inflateInit_(state, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe state.deallocate()
            throw .exhausted
        }
    }

    deinit {
        _ = unsafe inflateEnd(state)
        unsafe state.deallocate()
    }

    func expand(_ bytes: Span<UInt8>, atMost limit: Int, by blockSize: Int) throws(CompressionError) -> [UInt8] {
        var output: [UInt8] = []
        var block = [UInt8](repeating: 0, count: blockSize)
        var offset = 0
        while true {
            let step = inflate(bytes.extracting(offset..<bytes.count), into: &block)
            offset += step.consumed
            guard step.produced <= limit - output.count else { throw .tooLarge }
            output += block[..<step.produced]
            switch step.status {
            case Z_STREAM_END:
                guard offset == bytes.count else { throw .malformed }
                return output
            case Z_OK where step.consumed > 0 || step.produced > 0: break
            case Z_MEM_ERROR: throw .exhausted
            // No progress means that the end is missing.
            default: throw .malformed
            }
        }
    }

    private func inflate(
        _ input: Span<UInt8>, into block: inout [UInt8]
    ) -> (status: CInt, consumed: Int, produced: Int) {
        let available = min(input.count, Int(CInt.max))
        let room = block.count
        let status = unsafe input.withUnsafeBufferPointer { input in
            unsafe block.withUnsafeMutableBufferPointer { output in
                // The library only reads what it is given, although its type does not say so.
                unsafe state.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe state.pointee.avail_in = UInt32(available)
                unsafe state.pointee.next_out = output.baseAddress
                unsafe state.pointee.avail_out = UInt32(room)
                return unsafe CZlib.inflate(state, Z_NO_FLUSH)
            }
        }
        let left = unsafe (input: Int(state.pointee.avail_in), output: Int(state.pointee.avail_out))
        unsafe state.pointee.next_in = nil
        unsafe state.pointee.next_out = nil
        return (status, available - left.input, room - left.output)
    }
}
