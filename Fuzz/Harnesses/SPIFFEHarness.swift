import Bytes
import Identity

/// SPIFFE IDs beside the grammar of SPIFFE-ID §2, written down a second time as an expression.
final class SPIFFEHarness: Harness {
    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        let identifier = try? SPIFFEID(input)
        try demand((identifier != nil) == Self.isName(input), "what is accepted is what the grammar generates")
        guard let identifier else { return false }
        try demand(Array(identifier.text.utf8) == Array(copying: input), "the text of a name is its input")
        try demand(
            identifier.text == "spiffe://" + identifier.trustDomain + identifier.path,
            "a name is its scheme, its trust domain and its path")
        try demand((try? SPIFFEID(identifier.text.utf8.span)) == identifier, "the text of a name is read as that name")
        return true
    }

    private static func isName(_ input: Span<UInt8>) -> Bool {
        guard input.count <= 2048, let text = String(validating: input) else { return false }
        let grammar = /spiffe:\/\/([a-z0-9._\-]{1,255})((?:\/[A-Za-z0-9._\-]+)*)/
        guard let match = try? grammar.asciiOnlyCharacterClasses().wholeMatch(in: text) else { return false }
        let segments = match.2.split(separator: "/")
        return !segments.contains(".") && !segments.contains("..")
    }
}
