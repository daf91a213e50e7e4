import Bytes
import Delegation
import Identity
import JSON

/// Reads claims out of a payload by type and by rule; it judges no time and no trust.
struct ClaimReader: ~Escapable {
    private let payload: JSONValue

    /// The characters that a claim may hold.
    enum Alphabet {
        /// `!` to `~`: what needs no quoting in a header or a log.
        case visible
        /// The same and the space (`VSCHAR` of RFC 6749, appendix A).
        case printable
        /// Any text without control characters.
        case text
    }

    @_lifetime(copy payload)
    init(_ payload: JSONValue) {
        self.payload = payload
    }

    /// The value of a claim, if it is there.
    @_lifetime(copy self)
    func value(_ claim: RegisteredClaim) -> JSONValue? {
        payload.member(named: claim.rawValue)
    }

    /// The value of a claim by any name.
    @_lifetime(copy self)
    func value(named name: String) -> JSONValue? {
        payload.member(named: name)
    }

    /// Whether a claim is there, whatever its value.
    func has(_ claim: RegisteredClaim) -> Bool {
        payload.member(named: claim.rawValue) != nil
    }

    // MARK: Text

    /// Reads a string that must be there and not be empty.
    func text(
        _ claim: RegisteredClaim, _ alphabet: Alphabet, atMost limit: Int = 1024
    ) throws(TokenRejection) -> String {
        guard let value = payload.member(named: claim.rawValue) else { throw .missing(claim) }
        return try Self.text(value, claim, alphabet, atMost: limit)
    }

    /// Reads a string that may be absent, but not empty.
    func textIfPresent(
        _ claim: RegisteredClaim, _ alphabet: Alphabet, atMost limit: Int = 1024
    ) throws(TokenRejection) -> String? {
        has(claim) ? try text(claim, alphabet, atMost: limit) : nil
    }

    /// Reads the first that is there of several claims that mean the same.
    func text(
        named names: [String], _ claim: RegisteredClaim, _ alphabet: Alphabet, atMost limit: Int = 1024
    ) throws(TokenRejection) -> String? {
        for name in names {
            guard let value = payload.member(named: name) else { continue }
            return try Self.text(value, claim, alphabet, atMost: limit)
        }
        return nil
    }

    private static func text(
        _ value: JSONValue, _ claim: RegisteredClaim, _ alphabet: Alphabet, atMost limit: Int
    ) throws(TokenRejection) -> String {
        guard let text = value.text, !text.isEmpty, text.count <= limit, alphabet.allows(text),
            let string = String(validating: text), alphabet != .text || isVisible(string)
        else { throw .invalid(claim) }
        return string
    }

    /// Whether there is anything to see: a name of spaces names nobody.
    private static func isVisible(_ text: String) -> Bool {
        text.unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .spaceSeparator, .lineSeparator, .paragraphSeparator, .format, .control, .unassigned, .privateUse:
                false
            default: true
            }
        }
    }

    // MARK: Time

    /// Reads a NumericDate that must be there (RFC 7519 §2).
    func time(_ claim: RegisteredClaim) throws(TokenRejection) -> UnixTime {
        guard let value = payload.member(named: claim.rawValue) else { throw .missing(claim) }
        guard let time = NumericDate.time(value) else { throw .invalid(claim) }
        return time
    }

    /// Reads a NumericDate that may be absent.
    func timeIfPresent(_ claim: RegisteredClaim) throws(TokenRejection) -> UnixTime? {
        has(claim) ? try time(claim) : nil
    }

    // MARK: Audience

    /// Whether `aud`, a string or an array of strings, names one of `audiences` (RFC 7519 §4.1.3).
    func isMeant(for audiences: [String]) throws(TokenRejection) -> Bool {
        guard let value = payload.member(named: RegisteredClaim.audience.rawValue) else { throw .missing(.audience) }
        if value.kind == .string { return audiences.contains { value.equals(utf8: $0) } }
        guard value.kind == .array, value.count > 0 else { throw .invalid(.audience) }
        var isMeant = false
        var elements = value.elements
        while let element = elements.next() {
            guard element.kind == .string else { throw .invalid(.audience) }
            if audiences.contains(where: { element.equals(utf8: $0) }) { isMeant = true }
        }
        return isMeant
    }

    // MARK: Scopes

    /// Reads `scope`: a string of scopes with one space between them (RFC 6749 §3.3), or an array of scopes.
    ///
    /// - Returns: none where the claim is absent, an empty string or an empty array.
    func scopes() throws(TokenRejection) -> [String] {
        guard let value = payload.member(named: RegisteredClaim.scope.rawValue) else { return [] }
        switch value.kind {
        case .string: return try Self.scopes(separated: value)
        case .array: return try Self.scopes(listed: value)
        default: throw .invalid(.scope)
        }
    }

    private static func scopes(separated value: JSONValue) throws(TokenRejection) -> [String] {
        guard let text = value.text else { throw .invalid(.scope) }
        var scopes: [String] = []
        var start = 0
        while start < text.count {
            let end = text.firstIndex(of: UInt8(ascii: " "), from: start) ?? text.count
            scopes.append(try scope(text.extracting(start..<end)))
            start = end + 1
            // A space at the end promises one more scope.
            guard start != text.count else { throw .invalid(.scope) }
        }
        return scopes
    }

    /// The scopes of an array.
    private static func scopes(listed value: JSONValue) throws(TokenRejection) -> [String] {
        var scopes: [String] = []
        var elements = value.elements
        while let element = elements.next() {
            guard let text = element.text else { throw .invalid(.scope) }
            scopes.append(try scope(text))
        }
        return scopes
    }

    /// A scope-token: visible characters but `"` and `\` (RFC 6749, appendix A.4).
    private static func scope(_ text: Span<UInt8>) throws(TokenRejection) -> String {
        guard !text.isEmpty, text.count <= 1024, Alphabet.visible.allows(text),
            text.firstIndex(of: UInt8(ascii: "\"")) == nil, text.firstIndex(of: UInt8(ascii: "\\")) == nil,
            let scope = String(validating: text)
        else { throw .invalid(.scope) }
        return scope
    }

    // MARK: Delegation

    /// Who acts for the subject, where somebody does (`act`, RFC 8693 §4.1).
    func actors() throws(TokenRejection) -> ActorChain? {
        guard let act = payload.member("act") else { return nil }
        do throws(LineageFault) {
            return try ActorChain(act)
        } catch {
            throw .lineage(error)
        }
    }

    /// Refuses a token that says it has actors, where tokens of its kind have none.
    func refuseActors() throws(TokenRejection) {
        guard payload.member("act") == nil else { throw .delegationUnsupported }
    }

    /// Refuses a token that was passed on by a chain of records; an empty one says that nobody did.
    func refuseRecords() throws(TokenRejection) {
        guard let chain = value(.delegationChain) else { return }
        guard chain.kind == .array else { throw .invalid(.delegationChain) }
        guard chain.count == 0 else { throw .delegationUnsupported }
    }

    /// Refuses a token that its holder made out of another.
    func refuseDerivation() throws(TokenRejection) {
        for name in ["del_depth", "par_hash"] where payload.member(named: name) != nil { throw .delegationUnsupported }
    }
}

extension ClaimReader.Alphabet {
    /// Whether `text`, which is well-formed UTF-8, holds nothing else.
    func allows(_ text: Span<UInt8>) -> Bool {
        for index in text.indices {
            let byte = text[index]
            switch self {
            case .visible: guard byte > 0x20, byte < 0x7F else { return false }
            case .printable: guard byte >= 0x20, byte < 0x7F else { return false }
            case .text:
                guard byte >= 0x20, byte != 0x7F else { return false }
                // C1 controls are U+0080 to U+009F.
                if byte == 0xC2, text[index + 1] < 0xA0 { return false }
            }
        }
        return true
    }
}
