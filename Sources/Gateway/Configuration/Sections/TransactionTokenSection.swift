import Bytes
import Cryptography
import Tokens

/// Reads the section `transaction_tokens`.
enum TransactionTokenSection {
    private static let keys = ["trust_domain", "issuer", "signing_key_file", "lifetime", "workload"]
    private static let defaultLifetime = Interval.seconds(60)
    private static let greatestLifetime = Interval.seconds(900)

    static func read(_ reader: DocumentReader?, context: LoadContext) -> TransactionTokenSettings? {
        guard let section = reader?.section(keys) else { return nil }
        let trustDomain = section.required("trust_domain", "where the tokens are good, such as internal.example")?
            .trustDomain()
        let issuer = name(section.required("issuer", "the iss of the tokens, such as https://gateway.example"))
        let workload = name(section.required("workload", "the gateway's own name, such as its SPIFFE ID"))
        let lifetime =
            section.optional("lifetime").map { $0.duration(in: .seconds(1)...greatestLifetime) } ?? defaultLifetime
        let keyReader = section.required("signing_key_file", "the path of a private key in PEM, P-256 or Ed25519")
        let key = keyReader.flatMap(TrustFile(context: context).privateKey)
        guard let keyReader, let key else { return nil }
        // The kind of the key is judged whatever else is wrong, so that one run finds all.
        let settings = TransactionTokenSettings(
            key: key, issuer: issuer ?? "", trustDomain: trustDomain ?? "", workload: workload ?? "",
            lifetime: lifetime ?? defaultLifetime)
        guard let settings else {
            keyReader.refuse("the key is of another kind than P-256 and Ed25519; make one of these")
            return nil
        }
        guard trustDomain != nil, issuer != nil, workload != nil, lifetime != nil else { return nil }
        return settings
    }

    private static func name(_ reader: DocumentReader?) -> String? {
        reader?.value(expected: "a name of at most 2048 visible ASCII characters") { text in
            text.utf8.count <= 2048 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? text : nil
        }
    }
}
