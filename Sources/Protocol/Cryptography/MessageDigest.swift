import Bytes
import COpenSSL

/// A hash function, fetched once, and one context that every use initialises again.
///
/// Only this class reaches the two pointers; it frees each exactly once.
@safe
final class MessageDigest {
    /// The length of a digest in bytes.
    let byteCount: Int
    private let algorithm: OpaquePointer
    private let context: OpaquePointer

    init(_ hash: MessageHash) throws(EngineError) {
        guard let algorithm = unsafe EVP_MD_fetch(nil, cString(hash.name), nil) else {
            throw .unavailable("\(hash.name)")
        }
        guard let context = unsafe EVP_MD_CTX_new() else {
            unsafe EVP_MD_free(algorithm)
            throw .exhausted
        }
        unsafe self.algorithm = algorithm
        unsafe self.context = context
        byteCount = unsafe Int(EVP_MD_get_size(algorithm))
    }

    /// Makes another context for the function that `other` fetched.
    init(sharing other: MessageDigest) {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_MD_up_ref(other.algorithm) == 1 else {
            preconditionFailure("no memory for a hash")
        }
        unsafe algorithm = other.algorithm
        unsafe self.context = context
        byteCount = other.byteCount
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
        unsafe EVP_MD_free(algorithm)
    }

    /// Forgets what was hashed and begins anew.
    ///
    /// A hash that was fetched does not fail; should it, there is no safe answer, so the process stops.
    func start() {
        let status = unsafe EVP_DigestInit_ex2(context, algorithm, nil)
        precondition(status == 1, "a hash function could not start")
    }

    /// Hashes more of the message.
    func update(_ bytes: Span<UInt8>) {
        guard bytes.count > 0 else { return }
        let status = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        }
        precondition(status == 1, "a hash function failed")
    }

    /// Writes the digest to the front of `output`.
    func finish(_ output: inout [64 of UInt8]) {
        precondition(byteCount <= output.count, "a digest longer than its room")
        var span = output.mutableSpan
        let status = unsafe span.withUnsafeMutableBufferPointer { output in
            unsafe EVP_DigestFinal_ex(context, output.baseAddress, nil)
        }
        precondition(status == 1, "a hash function could not finish")
    }

    /// The digest so far, where it has 32 bytes.
    func finish256() -> Digest256 {
        var output: [64 of UInt8] = .init(repeating: 0)
        finish(&output)
        guard let digest = Digest256(output.span.extracting(..<byteCount)) else {
            preconditionFailure("a digest of another length")
        }
        return digest
    }

    /// The digest of `bytes`, where it has 32 bytes.
    func digest256(_ bytes: Span<UInt8>) -> Digest256 {
        start()
        update(bytes)
        return finish256()
    }

    /// Runs `body` with the digest function, for set-up of contexts that name one.
    func withAlgorithm<R>(_ body: (OpaquePointer) -> R) -> R {
        unsafe body(algorithm)
    }
}
