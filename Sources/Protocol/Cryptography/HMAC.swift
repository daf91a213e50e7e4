public import Bytes

extension CryptographicEngine {
    /// The HMAC-SHA-256 of `message` under `key` (RFC 2104), for short messages: it copies them.
    public func hmacSHA256(key: Span<UInt8>, message: Span<UInt8>) -> Digest256 {
        let blockSize = 64
        var block = [UInt8](repeating: 0, count: blockSize)
        let hashedKey = sha256(key).bytes
        let shortKey = key.count > blockSize ? hashedKey.span : key
        for index in shortKey.indices { block[index] = shortKey[index] }
        var inner: [UInt8] = []
        inner.reserveCapacity(blockSize + message.count)
        for byte in block { inner.append(byte ^ 0x36) }
        for index in message.indices { inner.append(message[index]) }
        let innerDigest = sha256(inner.span).bytes
        var outer: [UInt8] = []
        outer.reserveCapacity(blockSize + Digest256.byteCount)
        for byte in block { outer.append(byte ^ 0x5c) }
        for index in innerDigest.indices { outer.append(innerDigest[index]) }
        return sha256(outer.span)
    }
}
