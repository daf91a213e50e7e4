import Bytes
import JSON

/// A JSON object that is being written: its members in the order in which they were first set.
struct JSONObjectText {
    private(set) var members: [(name: String, json: String)] = []

    /// The object in one line.
    var text: String {
        "{\(members.map { "\(Self.string($0.name)):\($0.json)" }.joined(separator: ","))}"
    }

    /// Sets a member to some JSON, or removes it where there is none.
    mutating func set(_ name: String, json: String?) {
        let index = members.firstIndex { $0.name == name }
        switch (index, json) {
        case (let index?, let json?): members[index].json = json
        case (let index?, nil): members.remove(at: index)
        case (nil, let json?): members.append((name, json))
        case (nil, nil): break
        }
    }

    /// Sets a member to a string; nothing is done where there is none.
    mutating func set(_ name: String, _ text: String?) {
        if let text { set(name, json: Self.string(text)) }
    }

    /// Sets a member to whole seconds (RFC 7519 §2, NumericDate).
    mutating func set(_ name: String, _ time: UnixTime) {
        set(name, json: "\(time.seconds)")
    }

    /// Sets a member to a list of strings.
    mutating func set(_ name: String, _ texts: [String]) {
        set(name, json: "[\(texts.map(Self.string).joined(separator: ","))]")
    }

    /// A string as JSON writes it.
    static func string(_ text: String) -> String {
        var queue = ByteQueue()
        queue.append(jsonString: text)
        return String(decoding: Array(copying: queue.readable), as: UTF8.self)
    }
}
