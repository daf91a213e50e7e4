internal import Bytes
internal import COpenSSL

/// What a WebSocket server answers to a client's key (RFC 6455 §4.2.2): shows that it understood the request, and nothing
/// else, which is why SHA-1 is good enough here.
public enum WebSocketAccept {
    private static let suffix: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// The 20 bytes whose base64 is `sec-websocket-accept`, for a key as it is written in the field.
    public static func digest(ofKey key: Span<UInt8>) -> [UInt8] {
        var text = ByteQueue()
        text.append(key)
        text.append(suffix)
        var digest = [UInt8](repeating: 0, count: 20)
        text.withReadable { bytes in
            unsafe bytes.withUnsafeBufferPointer { source in
                // SHA1 writes its 20 bytes to the room of the array, which has as many.
                unsafe digest.withUnsafeMutableBufferPointer {
                    _ = unsafe SHA1(source.baseAddress, source.count, $0.baseAddress)
                }
            }
        }
        return digest
    }
}
