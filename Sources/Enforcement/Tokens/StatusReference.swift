import Bytes
import JSON

/// Where a token's status is kept: a place in a list that its issuer publishes (Token Status List, claim `status`).
public struct StatusReference: Hashable, Sendable {
    /// The URI of the list.
    public let uri: String
    /// The place in it, counted from 0.
    public let index: Int

    /// Names a place.
    public init(uri: String, index: Int) {
        self.uri = uri
        self.index = index
    }
}

extension ClaimReader {
    private static let maximumURILength = 2048

    /// Reads `status.status_list`, where the token has it; mechanisms of other names say nothing to us.
    func statusReference() throws(TokenRejection) -> StatusReference? {
        guard let status = value(.status) else { return nil }
        guard status.kind == .object else { throw .invalid(.status) }
        guard let list = status.member("status_list") else { return nil }
        guard let index = list.member("idx")?.integer, 0...Int64(Int32.max) ~= index,
            let uri = list.member("uri")?.text, !uri.isEmpty, uri.count <= Self.maximumURILength,
            Alphabet.visible.allows(uri), let text = String(validating: uri)
        else { throw .invalid(.status) }
        return StatusReference(uri: text, index: Int(index))
    }
}
