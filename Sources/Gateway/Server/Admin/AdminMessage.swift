import Bytes
import HTTP

/// A request as it came, in owned parts.
struct AdminMessage: Equatable, Sendable {
    var method = ""
    var target = ""
    /// The media type, without parameters, in lower case; nothing where there is no such field, empty where there are two.
    var contentType: String?
    /// Whether it says that a web page made it: no page administers a gateway.
    var hasOrigin = false
    var body: [UInt8] = []

    /// Makes an empty one.
    init() {}

    /// Takes over what a head says.
    init(_ head: borrowing RequestHead) {
        method = head.method.withReadable { String(validating: $0) ?? "" }
        target = head.target.withReadable { String(validating: $0) ?? "" }
        if let index = head.fields.firstIndex(of: .contentType) {
            let isOnly = head.fields.lineCount(of: .contentType) == 1
            contentType = isOnly ? Self.mediaType(head.fields.value(index)) : ""
        }
        var index = 0
        while index < head.fields.count {
            if head.fields.name(index).equals("origin") { hasOrigin = true }
            index += 1
        }
    }

    private static func mediaType(_ value: Span<UInt8>) -> String {
        let text = String(validating: value) ?? ""
        let type = text.prefix { $0 != ";" }
        return type.drop { $0 == " " }.split(separator: " ").first.map { $0.lowercased() } ?? ""
    }
}
