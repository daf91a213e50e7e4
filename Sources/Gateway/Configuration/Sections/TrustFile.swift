import Bytes
import Cryptography

/// Reads the files that trust rests on; what is missing, empty or not what it should be is a fault.
struct TrustFile {
    let context: LoadContext

    /// The bytes of the file that `reader` names.
    func bytes(_ reader: DocumentReader) -> [UInt8]? {
        file(reader)?.bytes
    }

    /// Every certificate of the PEM file that `reader` names; at least one.
    func certificates(_ reader: DocumentReader) -> [Certificate]? {
        guard let file = file(reader) else { return nil }
        do throws(CertificateError) {
            return try Certificate.chain(pem: file.bytes.span)
        } catch {
            reader.refuse(
                "the file holds no certificate that can be read; write PEM with CERTIFICATE blocks and nothing else")
            return nil
        }
    }

    /// The unencrypted private key of the PEM file that `reader` names.
    func privateKey(_ reader: DocumentReader) -> PrivateKey? {
        guard let file = file(reader) else { return nil }
        if file.isReadableByOthers {
            reader.warn("other users may read this private key; make its mode 0600")
        }
        do throws(KeyError) {
            return try PrivateKey(pem: file.bytes.span)
        } catch {
            reader.refuse("the file holds no private key that can be used; write one unencrypted PEM key")
            return nil
        }
    }

    /// The secret in the file that `reader` names: one line of printable characters.
    func secret(_ reader: DocumentReader) -> [UInt8]? {
        guard let file = file(reader) else { return nil }
        if file.isReadableByOthers {
            reader.warn("other users may read this secret; make its mode 0600")
        }
        var secret = file.bytes
        if secret.last == UInt8(ascii: "\n") { secret.removeLast() }
        if secret.last == UInt8(ascii: "\r") { secret.removeLast() }
        guard (1...1024).contains(secret.count), secret.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            reader.refuse(
                "the file holds no secret that can be used; write one line of at most 1024 printable characters")
            return nil
        }
        return secret
    }

    private func file(_ reader: DocumentReader) -> NamedFile? {
        guard let path = reader.text() else { return nil }
        let resolved = context.place.resolve(path)
        do throws(NamedFile.Failure) {
            let file = try NamedFile(path: resolved)
            guard !file.bytes.isEmpty else {
                reader.refuse("the file \(resolved) is empty; write what belongs there")
                return nil
            }
            return file
        } catch {
            reader.refuse("the file \(resolved) \(error.reason)")
            return nil
        }
    }
}
