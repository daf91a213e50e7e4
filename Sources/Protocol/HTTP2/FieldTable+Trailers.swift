import HTTP

extension FieldTable {
    /// Copies the lines of `trailers`.
    mutating func append(trailers: borrowing FieldTable) {
        for index in 0..<trailers.count { append(name: trailers.name(index), value: trailers.value(index)) }
    }
}
