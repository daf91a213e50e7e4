import Audit
import Bytes
import Cryptography

/// Logs for tests to read and to damage.
enum Lines {
    /// A log of `count` records, whole, with its newlines.
    static func log(_ count: Int) throws -> [UInt8] {
        var chain = AuditChain(engine: try CryptographicEngine())
        var lines = ByteQueue()
        var record = AuditRecord()
        for number in 0..<count {
            request(number, in: &record)
            chain.append(record, to: &lines)
        }
        return Array(copying: lines.readable)
    }

    /// Makes `record` the record of a request.
    static func request(_ number: Int, in record: inout AuditRecord) {
        record.reset()
        record.member("agent", "spiffe://example.test/agent/\(number)")
        record.member(event: number % 2 == 0 ? .requestAllowed : .requestDenied)
        record.member("method", "GET" as StaticString)
        record.member("path", "/orders/\(number)")
        record.member("reason", number % 2 == 0 ? "" : "token.expired")
        record.member("status", number: 200)
        record.member("time", time: UnixTime(nanoseconds: 1_800_000_000_000_000_000 + Int64(number)))
        record.finish()
    }

    /// A record of about `size` bytes.
    static func record(size: Int) -> AuditRecord {
        var record = AuditRecord()
        record.member("event", "alert.raised" as StaticString)
        record.member("reason", String(repeating: "x", count: max(0, size - 40)))
        record.finish()
        return record
    }

    /// The lines of a log without their newlines.
    static func split(_ log: [UInt8]) -> [[UInt8]] {
        log.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().map { Array($0) }
    }

    /// A log of those lines.
    static func join(_ lines: [[UInt8]]) -> [UInt8] {
        lines.flatMap { $0 + [UInt8(ascii: "\n")] }
    }

    /// The first fault of a log in one file, or nothing.
    static func fault(in log: [UInt8], from start: AuditVerifier.Start = .beginning) throws -> AuditFault? {
        var verifier = AuditVerifier(engine: try CryptographicEngine(), from: start)
        verifier.beginFile("audit-000001.jsonl")
        do throws(AuditFault) {
            try verifier.input(contents: log.span)
            try verifier.endFile()
            return nil
        } catch {
            return error
        }
    }

    /// Text of bytes.
    static func text(_ queue: borrowing ByteQueue) -> String {
        String(validating: queue.readable) ?? "not UTF-8"
    }
}
