public import JSON

/// Where a log is not what the gateway wrote, and how that shows.
public struct AuditFault: Error, Equatable, Sendable {
    /// What is wrong with a record.
    public enum Kind: Error, Equatable, Sendable {
        /// The record is not what the next one's `prev` says it was: one of the two was changed.
        case changed
        /// Behind the last newline stands the beginning of a line.
        case incompleteLine
        /// The keys are not in code-point order.
        case keyOrder
        /// A member that every record has is missing, or is not of its form.
        case member(String)
        /// The line is not a JSON object.
        case notAnObject
        /// The line is not JSON.
        case notJSON(JSONError)
        /// The first record's `prev` is not the digest that the log begins, or goes on, with.
        case previous
        /// The number of the record is not the one that follows; the number that it bears.
        case sequence(found: UInt64)
        /// The line is longer than a record can be.
        case tooLong
        /// The event is not one that the gateway writes.
        case unknownEvent(String)
        /// There is white space between the tokens.
        case whiteSpace
    }

    /// The file's name, as the verifier was told; empty where it was told none.
    public let file: String
    /// The line in that file, from 1; nothing where the reading began inside the file.
    public let line: Int?
    /// The number of the first bad record, as it should be; nothing where it is not known.
    public let sequence: UInt64?
    /// What is wrong.
    public let kind: Kind

    /// Makes a fault.
    public init(file: String, line: Int?, sequence: UInt64?, kind: Kind) {
        self.file = file
        self.line = line
        self.sequence = sequence
        self.kind = kind
    }
}

extension AuditFault: CustomStringConvertible {
    /// One line for a person: `audit-000002.jsonl:17: record 34: …`.
    public var description: String {
        let place = line.map { "\(file):\($0): " } ?? (file.isEmpty ? "" : "\(file): ")
        let record = sequence.map { "record \($0): " } ?? ""
        return place + record + kind.description
    }
}

extension AuditFault.Kind: CustomStringConvertible {
    /// A phrase for a person.
    public var description: String {
        switch self {
        case .changed: "not what the next record's prev says it was; one of the two was changed"
        case .incompleteLine: "the last line is incomplete: it has no newline"
        case .keyOrder: "the keys are not in code-point order"
        case .member(let name): "\(name) is missing or malformed"
        case .notAnObject: "not a JSON object"
        case .notJSON(let error): "not JSON: \(error)"
        case .previous:
            "prev is not the digest that the log goes on from; records before it are missing or it was changed"
        case .sequence(let found): "expected here, but this one's seq is \(found); records were removed, added or moved"
        case .tooLong: "longer than a record can be"
        case .unknownEvent(let event): "unknown event \"\(event)\""
        case .whiteSpace: "white space between the tokens"
        }
    }
}
