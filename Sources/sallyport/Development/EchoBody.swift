import Bytes
import Cryptography
import JSON

/// The body of a request on its way through the echo service: its digest, its length, and its text where that is short.
struct EchoBody {
    /// The longest text that is reported, in bytes.
    private static let longestText = 64 << 10

    private let hash: SHA256Stream
    private var byteCount = 0
    private var text: [UInt8] = []

    /// Starts a body; `hash` must be fresh.
    init(hash: SHA256Stream) {
        self.hash = hash
    }

    /// Takes the next piece.
    mutating func take(_ bytes: Span<UInt8>) {
        hash.update(bytes)
        byteCount += bytes.count
        if byteCount <= Self.longestText { text.append(contentsOf: Array(copying: bytes)) }
    }

    /// What the service answers, as JSON with a newline at its end.
    mutating func report(method: String, target: String, fields: [(name: String, value: String)]) -> [UInt8] {
        var json = ByteQueue()
        json.append("{\"method\":")
        json.append(jsonString: method)
        json.append(",\"target\":")
        json.append(jsonString: target)
        json.append(",\"headers\":[")
        for (index, field) in fields.enumerated() {
            json.append(index == 0 ? "[" : ",[")
            json.append(jsonString: field.name)
            json.append(",")
            json.append(jsonString: field.value)
            json.append("]")
        }
        json.append("],\"body_sha256\":")
        json.append(jsonString: hash.finish().hexadecimal)
        json.append(",\"body_bytes\":")
        json.append(decimal: byteCount)
        json.append(",\"body\":")
        if byteCount <= Self.longestText, let text = String(validating: text.span) {
            json.append(jsonString: text)
        } else {
            json.append("null")
        }
        json.append("}\n")
        return Array(copying: json.readable)
    }
}
