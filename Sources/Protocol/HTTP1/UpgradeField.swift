import Bytes
import HTTP

extension FieldTable {
    /// Appends the token of the one `Upgrade` line in lower case (RFC 9110 §7.8).
    ///
    /// A choice of several protocols, one with a version such as `HTTP/2.0` and one longer than any name come to nothing:
    /// whoever is asked may ignore the field.
    func appendUpgrade(to token: inout ByteQueue) {
        guard lineCount(of: .upgrade) == 1, let line = firstIndex(of: .upgrade) else { return }
        let value = value(line)
        guard value.count <= 64, ByteSet.token.holdsAll(of: value) else { return }
        for index in value.indices { token.append(value[index].asciiLowercased) }
    }
}
