import Bytes
import JSON

/// A JSON value that is being made: answers are small, and clarity is worth more than speed here.
enum AdminJSON: Equatable, Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([AdminJSON])
    case object([Member])

    /// A member of an object.
    struct Member: Equatable, Sendable {
        let name: String
        let value: AdminJSON

        /// A member of that name, or nothing where there is no value.
        static func maybe(_ name: String, _ value: AdminJSON?) -> [Member] {
            value.map { [Member(name: name, value: $0)] } ?? []
        }
    }

    /// An object of what there is: a member without a value is left out.
    static func object(_ members: KeyValuePairs<String, AdminJSON?>) -> AdminJSON {
        .object(members.flatMap { Member.maybe($0.key, $0.value) })
    }

    /// A moment, as RFC 3339 writes it.
    static func time(_ time: UnixTime) -> AdminJSON {
        var text = ByteQueue()
        text.append(rfc3339: time)
        return .text(String(decoding: Array(copying: text.readable), as: UTF8.self))
    }

    /// A length of time in whole seconds.
    static func seconds(_ interval: Interval) -> AdminJSON {
        .number(Int(interval.seconds))
    }

    /// The value in one line, and the end of the line.
    var bytes: [UInt8] {
        var output = ByteQueue()
        append(to: &output)
        output.append(UInt8(ascii: "\n"))
        return Array(copying: output.readable)
    }

    private func append(to output: inout ByteQueue) {
        switch self {
        case .text(let text): output.append(jsonString: text)
        case .number(let number): output.append(decimal: number)
        case .flag(let flag): output.append(flag ? "true" : "false")
        case .list(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.append(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output.append(jsonString: member.name)
                output.append(UInt8(ascii: ":"))
                member.value.append(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }
}
