import Bytes
import Yams

/// A captured request as JSON or YAML says it.
struct CapturedDocument {
    /// The method.
    let method: String
    /// The absolute URL.
    let url: String
    /// The field lines, in order.
    private(set) var fields: [(name: String, value: String)] = []
    /// The client's certificate in PEM.
    private(set) var certificate: String?
    /// The file that holds it instead.
    private(set) var certificateFile: String?
    /// When the request was made.
    private(set) var time: UnixTime?
    /// The name of the listener.
    private(set) var listener: String?

    private static let keys = [
        "method", "url", "headers", "client_certificate", "client_certificate_file", "time", "listener",
    ]

    /// Reads the document.
    init(_ text: String) throws {
        let mapping = try Self.mapping(text)
        for key in mapping.keys {
            guard let name = key.scalar?.string, Self.keys.contains(name) else {
                throw Self.failure("a key of the request is unknown; use only \(Self.keys.joined(separator: ", "))")
            }
        }
        guard let method = try Self.text("method", in: mapping), let url = try Self.text("url", in: mapping) else {
            throw Self.failure("the request lacks method or url; give both")
        }
        self.method = method
        self.url = url
        certificate = try Self.text("client_certificate", in: mapping)
        certificateFile = try Self.text("client_certificate_file", in: mapping)
        listener = try Self.text("listener", in: mapping)
        guard certificate == nil || certificateFile == nil else {
            throw Self.failure("client_certificate and client_certificate_file are both given; keep one")
        }
        if let text = try Self.text("time", in: mapping) {
            guard let time = UnixTime(rfc3339: text) else {
                throw Self.failure("time is not understood; write it as 2026-11-21T01:22:46Z")
            }
            self.time = time
        }
        if let headers = mapping["headers"] { fields = try Self.fields(headers) }
    }

    /// The head as a client writes it: the target in origin-form (RFC 9112 §3.2.1), the fragment left out (RFC 9110 §7.1), and
    /// `Host` where none is given.
    func head() throws -> [UInt8] {
        guard !method.isEmpty, !url.contains(where: \.isWhitespace), !method.contains(where: \.isWhitespace) else {
            throw Self.failure("method and url must not hold white space; remove it")
        }
        guard let scheme = url.firstRange(of: "://"), !scheme.isEmpty else {
            throw Self.failure("url is not absolute; write it as https://host:port/path")
        }
        let whole = url.prefix { $0 != "#" }
        let authority = whole[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        var target = whole
        // Another scheme and user information are said whole, so that they are judged.
        if url[..<scheme.lowerBound].lowercased() == "https", !authority.contains("@") {
            target = whole[authority.endIndex...]
            if !target.hasPrefix("/") { target = "/" + target }
        }
        var text = "\(method) \(target) HTTP/1.1\r\n"
        if !fields.contains(where: { $0.name.lowercased() == "host" }) { text += "Host: \(authority)\r\n" }
        for field in fields {
            let isOneLine = !(field.name + field.value).utf8.contains { $0 == 0x0A || $0 == 0x0D }
            guard isOneLine, !field.name.contains(":") else {
                throw Self.failure(
                    "a header holds a line break, or its name a colon; write one line for each, names as HTTP/1.1 has them"
                )
            }
            text += "\(field.name): \(field.value)\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    // MARK: Reading

    private static func mapping(_ text: String) throws -> Node.Mapping {
        let root: Node?
        // Yams keeps a pointer to the text, which must therefore not be one that Swift stores inline.
        do { root = try Parser(yaml: text + String(repeating: "\n", count: 16), encoding: .utf8).singleRoot() } catch {
            // What Yams says quotes the text, which may hold a token.
            let line = (error as? YamlError).flatMap(Self.line).map { " (line \($0))" } ?? ""
            throw failure("the request is neither JSON nor YAML nor an HTTP/1.1 head\(line); check its form")
        }
        guard let mapping = root?.mapping else {
            throw failure("the request is no mapping; give it method, url, headers and client_certificate")
        }
        return mapping
    }

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: nil
        }
    }

    private static func text(_ key: String, in mapping: Node.Mapping) throws -> String? {
        guard let node = mapping[Node(key)] else { return nil }
        guard let scalar = node.scalar else { throw failure("\(key) must be text; write it so") }
        let isNothing = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
        return isNothing ? nil : scalar.string
    }

    /// A mapping of names to a value or a list of them, or a list of pairs.
    private static func fields(_ node: Node) throws -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        switch node {
        case .mapping(let mapping):
            for (name, value) in mapping {
                for line in value.sequence.map(Array.init) ?? [value] { fields.append(try pair(name, line)) }
            }
        case .sequence(let sequence):
            for item in sequence {
                guard let parts = item.sequence, parts.count == 2 else {
                    throw failure("headers holds an item that is no pair; write [name, value]")
                }
                fields.append(try pair(parts[0], parts[1]))
            }
        case .scalar(let scalar) where scalar.string.isEmpty: break
        default: throw failure("headers must be a mapping or a list of pairs; write it so")
        }
        return fields
    }

    private static func pair(_ name: Node, _ value: Node) throws -> (name: String, value: String) {
        guard let name = name.scalar?.string, let value = value.scalar?.string else {
            throw failure("a header's name or value is no text; write it so")
        }
        return (name: name, value: value)
    }

    private static func failure(_ message: String) -> CommandFailure { .couldNotRun(message) }
}
