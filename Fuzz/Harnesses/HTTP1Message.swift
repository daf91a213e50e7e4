import Bytes
import HTTP

/// A field line as plain bytes.
struct HTTP1Field: Equatable {
    let name: [UInt8]
    let value: [UInt8]

    /// The lines of a table.
    static func lines(of table: borrowing FieldTable) -> [HTTP1Field] {
        var lines: [HTTP1Field] = []
        for index in 0..<table.count {
            lines.append(HTTP1Field(name: Array(copying: table.name(index)), value: Array(copying: table.value(index))))
        }
        return lines
    }

    /// The table of lines.
    static func table(of lines: [HTTP1Field]) -> FieldTable {
        var table = FieldTable()
        for line in lines { table.append(name: line.name.span, value: line.value.span) }
        return table
    }
}

/// A request or an answer as plain values, with as much of its content as has come.
struct HTTP1Message: Equatable {
    var method: [UInt8] = []
    var target: [UInt8] = []
    var authority: [UInt8] = []
    var version = HTTPVersion.http11
    /// That of an answer.
    var status: UInt16 = 0
    var framing = BodyFraming.none
    var fields: [HTTP1Field] = []
    var upgrade: [UInt8] = []
    var acceptsTrailers = false
    var content: [UInt8] = []
    var trailers: [HTTP1Field] = []
    var isWhole = false

    init(_ head: borrowing RequestHead, hasBody: Bool) {
        method = Array(copying: head.method.readable)
        target = Array(copying: head.target.readable)
        authority = Array(copying: head.authority.readable)
        version = head.version
        framing = head.framing
        fields = HTTP1Field.lines(of: head.fields)
        upgrade = Array(copying: head.upgrade.readable)
        acceptsTrailers = head.acceptsTrailers
        isWhole = !hasBody
    }

    init(_ head: borrowing ResponseHead, hasBody: Bool) {
        status = head.status
        framing = head.framing
        fields = HTTP1Field.lines(of: head.fields)
        upgrade = Array(copying: head.upgrade.readable)
        isWhole = !hasBody
    }

    func fill(_ head: inout RequestHead) {
        head.removeAll()
        head.method.append(method.span)
        head.target.append(target.span)
        head.authority.append(authority.span)
        head.framing = framing
        head.fields = HTTP1Field.table(of: fields)
        head.upgrade.append(upgrade.span)
        head.acceptsTrailers = acceptsTrailers
    }

    func fill(_ head: inout ResponseHead) {
        head.removeAll()
        head.status = status
        head.framing = framing
        head.fields = HTTP1Field.table(of: fields)
        head.upgrade.append(upgrade.span)
    }

    /// The lines that are forwarded as they came: the machines write the others themselves.
    var forwarded: [HTTP1Field] {
        fields.filter { field in
            switch FieldName(lowercased: field.name.span) {
            case .connection, .contentLength, .expect, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade:
                false
            default: true
            }
        }
    }
}
