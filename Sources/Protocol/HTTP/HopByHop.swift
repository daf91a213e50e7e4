import Bytes

/// Which field lines of one message are for the next hop only and must not be forwarded (RFC 9110 §7.6.1).
///
/// These are the connection-specific fields by name and whatever a `Connection` line of the message nominates.
public struct HopByHop: Sendable {
    /// The first `Connection` line that nominates a field.
    private let firstNominating: Int?

    /// Makes the rule for the message with these fields.
    public init(_ fields: borrowing FieldTable) {
        var line = fields.firstIndex(of: .connection)
        while let index = line, !Self.nominates(fields.value(index)) {
            line = fields.firstIndex(of: .connection, from: index + 1)
        }
        firstNominating = line
    }

    /// Whether the line at `index` of those same fields ends here.
    public func covers(_ index: Int, of fields: borrowing FieldTable) -> Bool {
        let field = fields[index]
        if Self.covers(field.known) { return true }
        if field.known == .other, fields.name(index).equals("http2-settings") { return true }
        return nominates(fields.name(index), of: fields)
    }

    /// Whether a `Connection` line of those same fields nominates `name`, which may be that of a trailer too.
    public func nominates(_ name: Span<UInt8>, of fields: borrowing FieldTable) -> Bool {
        var line = firstNominating
        while let nominating = line {
            if Self.isListed(name, in: fields.value(nominating)) { return true }
            line = fields.firstIndex(of: .connection, from: nominating + 1)
        }
        return false
    }

    /// Whether every field of that name ends at this hop.
    ///
    /// Beyond RFC 9110 these are `Trailer`, which may announce what ``TrailerRules`` leaves out, and the proxy's own
    /// credentials.
    public static func covers(_ name: FieldName) -> Bool {
        switch name {
        case .connection, .keepAlive, .proxyAuthenticate, .proxyAuthorization, .proxyConnection, .te, .trailer,
            .transferEncoding, .upgrade:
            true
        default: false
        }
    }

    private static func nominates(_ value: Span<UInt8>) -> Bool {
        var elements = ListElements()
        while let range = elements.next(in: value) {
            let option = value.extracting(range)
            if !option.equalsIgnoringCase("close"), !option.equalsIgnoringCase("keep-alive") { return true }
        }
        return false
    }

    private static func isListed(_ name: Span<UInt8>, in value: Span<UInt8>) -> Bool {
        var elements = ListElements()
        while let range = elements.next(in: value) {
            if Authority.agree(value.extracting(range), name) { return true }
        }
        return false
    }
}
