import Bytes
import Cryptography

/// Certificates that an operator keeps in files of PEM.
enum CertificateFile {
    /// Every certificate of the file, in order; at least one.
    static func chain(_ file: String) throws -> [Certificate] {
        let bytes = try FileSystem.read(file)
        do throws(CertificateError) { return try Certificate.chain(pem: bytes.span) } catch {
            throw CommandFailure.couldNotRun("\(file) holds no certificate that can be read; write PEM")
        }
    }

    /// What the first certificate of the file is revoked by: the SHA-256 of its DER in lower-case hexadecimal.
    static func fingerprint(_ file: String) throws -> String {
        try chain(file)[0].facts.fingerprint.hexadecimal
    }
}
