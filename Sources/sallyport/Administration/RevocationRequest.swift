import Bytes
import Configuration
import Identity

/// What `sallyport revoke` sends.
struct RevocationRequest: Equatable {
    var level: RevocationLevel
    /// The name of what is revoked; nothing for everything.
    var value: String?
    var issuer: String?
    var reason: String?
    var expiresAt: UnixTime?
    var isAllOf = false

    /// The levels that there are, for a sentence.
    static let levels = RevocationLevel.allCases.map(\.rawValue).joined(separator: ", ")

    /// Takes what an operator has written.
    ///
    /// - Parameter file: a certificate as PEM, whose fingerprint is the value.
    init(level: String?, value: String?, file: String? = nil) throws {
        guard let level else {
            throw CommandFailure.couldNotRun("it is not said what to revoke; give a level (\(Self.levels)) and a value")
        }
        self.level = try Self.level(level)
        if let file {
            guard self.level == .certificate, value == nil else {
                throw CommandFailure.couldNotRun("--file stands for the value of a certificate; give one of the two")
            }
            self.value = try CertificateFile.fingerprint(file)
            return
        }
        guard value != nil || self.level == .everything else {
            throw CommandFailure.couldNotRun("it is not said which \(level) to revoke; give its name behind the level")
        }
        self.value = value
    }

    /// The level of that name.
    static func level(_ text: String) throws -> RevocationLevel {
        guard let level = RevocationLevel(rawValue: text) else {
            throw CommandFailure.couldNotRun("\(TerminalText.printable(text)) is no level; there are \(levels)")
        }
        return level
    }

    /// What it is in words, for a question.
    var name: String {
        let name = value.map { "\(level.rawValue) \(TerminalText.printable($0))" } ?? level.rawValue
        return isAllOf && level != .everything ? "all of \(name)" : name
    }

    /// Whether it hits so much that a person should see it first.
    var needsQuestion: Bool { isAllOf || level == .everything }

    /// What to think of before it is taken for a hit; nothing where the name is of the usual kind.
    ///
    /// A name that nobody bears is revoked like any other, since whoever bears it may come later.
    var hint: String? {
        guard let value else { return nil }
        let name = TerminalText.printable(value)
        switch level {
        case .agent, .chain:
            do throws(SPIFFEIDError) { _ = try SPIFFEID(value.utf8.span) } catch {
                return "\(name) is no SPIFFE ID: it is taken as the sub of tokens, and no certificate bears it"
            }
            return nil
        case .task where value.hasPrefix("/") || value.hasSuffix("/"):
            return "\(name) is taken as it stands, with the slash at its \(value.hasPrefix("/") ? "beginning" : "end")"
        default: return nil
        }
    }

    /// The content of the request.
    var json: String {
        var object = JSONObjectText()
        object.set("level", level.rawValue)
        object.set("value", value)
        object.set("issuer", issuer)
        object.set("reason", reason)
        object.set("expires_at", expiresAt.map(MomentText.text))
        if isAllOf { object.set("all_of", json: "true") }
        return object.text
    }

    /// When it is to end, as it was asked for.
    ///
    /// - Parameters:
    ///   - at: a moment (RFC 3339).
    ///   - interval: a duration from `now` on.
    static func expiry(at: String?, in interval: String?, now: UnixTime) throws -> UnixTime? {
        switch (at, interval) {
        case (nil, nil): return nil
        case (let at?, nil):
            guard let time = UnixTime(rfc3339: at) else {
                throw CommandFailure.couldNotRun("\(at) is no moment; write it as 2026-12-31T00:00:00Z")
            }
            return time
        case (nil, let text?):
            guard let interval = DurationText.interval(text), interval > .zero else {
                throw CommandFailure.couldNotRun("\(text) is no duration; write it as 30m or 24h")
            }
            return now + interval
        case (_?, _?): throw CommandFailure.couldNotRun("--expires-at and --expires-in are both given; keep one")
        }
    }
}

/// A moment, written.
enum MomentText {
    /// RFC 3339 in UTC.
    static func text(_ time: UnixTime) -> String {
        var text = ByteQueue()
        text.append(rfc3339: time)
        return String(decoding: Array(copying: text.readable), as: UTF8.self)
    }
}
