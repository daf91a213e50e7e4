import Bytes
import JSON

/// Why an event took place, as its transmitter tells administrators (CAEP §2).
enum EventReason {
    private static let maximumLength = 256

    /// The English text of `reason_admin`, else its first; nothing where there is none that can be shown.
    ///
    /// Text that is long, or that is more than printable ASCII, is left out rather than mended.
    static func text(of content: JSONValue) -> String? {
        guard let reasons = content.member("reason_admin") else { return nil }
        if reasons.kind == .string { return printable(reasons) }
        if let english = reasons.member("en"), let text = printable(english) { return text }
        var members = reasons.members
        while let member = members.next() {
            if let text = printable(member.value) { return text }
        }
        return nil
    }

    private static func printable(_ value: JSONValue) -> String? {
        guard let text = value.string, (1...maximumLength).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        else { return nil }
        return text
    }
}
