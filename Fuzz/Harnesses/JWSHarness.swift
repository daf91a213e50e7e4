import Bytes
import Cryptography
import Foundation
import JSON
import Tokens

/// The compact serialisation and its header: what is accepted is one spelling of three parts, and its header says what
/// Foundation reads in it.
final class JWSHarness: Harness {
    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let jws = try? CompactJWS(input) else { return false }
        let parts = [jws.header, jws.payload, jws.signature].map { Base64URL.encode($0.span) }
        let text = parts.joined(separator: ".")
        try demand(Array(text.utf8) == Array(copying: input), "the parts, encoded again, are the input")
        try demand(
            jws.signingInput == 0..<parts[0].utf8.count + 1 + parts[1].utf8.count,
            "the signature covers header and payload with the dot between them")
        try demand(!jws.signature.isEmpty && !jws.header.isEmpty, "neither header nor signature is empty")
        let header = jws.header
        guard let read = try? JOSEHeader(json: header.span) else { return false }
        try check(read, of: header)
        return true
    }

    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? {
        guard let jws = try? CompactJWS(input.span) else { return nil }
        switch mutation.seed % 4 {
        case 0: return CompactForm.join(mutation.bytes(jws.header), jws.payload, jws.signature)
        case 1: return CompactForm.join(jws.header, mutation.bytes(jws.payload), jws.signature)
        case 2: return CompactForm.join(jws.header, jws.payload, mutation.bytes(jws.signature))
        default: return nil
        }
    }

    private func check(_ header: JOSEHeader, of json: [UInt8]) throws(Violation) {
        let object = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any]
        let members = try demand(object, "Foundation reads a header as an object")
        try demand(
            members["alg"] as? String == header.algorithm.rawValue, "the algorithm is what Foundation reads")
        try demand(
            JSONAgreement.holds(header.keyID, members["kid"] as? String),
            "the key's identifier is what Foundation reads")
        try demand(JSONAgreement.holds(header.type, members["typ"] as? String), "the type is what Foundation reads")
        for name in ["crit", "b64", "enc", "zip"] {
            try demand(members[name] == nil, "a header that must not be ignored is not accepted")
        }
    }
}
