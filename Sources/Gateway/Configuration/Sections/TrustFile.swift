import Bytes
import Cryptography
import TLS

/// Reads the files that trust rests on; what is missing, empty or not what it should be is a fault.
struct TrustFile {
    let context: LoadContext

    /// The bytes of the file that `reader` names.
    func bytes(_ reader: DocumentReader, atMost limit: Int = NamedFile.maximumByteCount) -> [UInt8]? {
        file(reader, atMost: limit)?.bytes
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

    /// The authorities in the PEM file that `reader` names.
    ///
    /// A certificate that is no authority has no place among them. An expired one does no harm beside a valid one, since
    /// no path through it is valid: a rotation may leave it behind. Where none is valid, nobody could be vouched for.
    func authorities(_ reader: DocumentReader) -> [Certificate]? {
        guard let bundle = certificates(reader) else { return nil }
        for certificate in bundle where !certificate.facts.isCertificateAuthority {
            reader.refuse(
                "the bundle holds \(DocumentReader.quoted(certificate.facts.subject)), which is no certificate authority; "
                    + "remove it")
            return nil
        }
        let expired = bundle.filter { $0.facts.notAfter < context.now }
        guard expired.count < bundle.count else {
            reader.refuse("every certificate of the bundle has expired; write the current ones")
            return nil
        }
        for certificate in expired {
            reader.warn("\(DocumentReader.quoted(certificate.facts.subject)) in the bundle has expired; remove it")
        }
        return bundle
    }

    /// A certificate chain and the key of its leaf.
    ///
    /// - Parameters:
    ///   - reader: names the chain.
    ///   - key: names the key.
    ///   - others: who will refuse the gateway where the certificate is not valid now.
    func certificate(
        _ reader: DocumentReader?, key: DocumentReader?, refusedBy others: StaticString
    ) -> ServerCertificate? {
        let chain = reader.flatMap(certificates)
        let key = key.flatMap(privateKey)
        guard let reader, let chain, let leaf = chain.first else { return nil }
        if leaf.facts.notAfter < context.now {
            reader.warn("the certificate has expired; \(others) will refuse the gateway")
        } else if leaf.facts.notBefore > context.now {
            reader.warn("the certificate is not valid yet; \(others) will refuse the gateway")
        }
        guard let key else { return nil }
        guard leaf.isMatched(by: key) else {
            reader.refuse("the first certificate of the file is not of the key in private_key_file; pair them")
            return nil
        }
        return ServerCertificate(chain: chain, key: key)
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

    private func file(_ reader: DocumentReader, atMost limit: Int = NamedFile.maximumByteCount) -> NamedFile? {
        guard let path = reader.text() else { return nil }
        let resolved = context.place.resolve(path)
        do throws(NamedFile.Failure) {
            let file = try NamedFile(path: resolved, atMost: limit)
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
