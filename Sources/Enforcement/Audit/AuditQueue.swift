public import Bytes
import Synchronization

/// A bounded ring of records between one worker, which submits, and the audit thread, which drains: no locks.
///
/// One thread at a time may be the producer (``submit(_:)``, ``redeem(_:durability:)``) and one the consumer
/// (``drain(into:_:upTo:)``, ``acknowledge()``, ``takeStarvation()``); they may differ. No record is ever dropped or
/// overwritten: what does not fit is not taken, and the caller must refuse the call that it is about, or wait.
public final class AuditQueue: Sendable {
    private let ring: ByteRing
    /// Behind the last record that was submitted; stored by the producer.
    private let published = Atomic<UInt64>(0)
    /// Behind the last record that was drained; stored by the consumer.
    private let taken = Atomic<UInt64>(0)
    /// Behind the last record that is as safe as the log makes it; stored by the consumer.
    private let acknowledged = Atomic<UInt64>(0)
    private let starved = Atomic<Bool>(false)

    /// The room that a record takes beside its bytes: three little-endian 32-bit numbers.
    public static let recordOverhead = 12
    /// The room that `prev`, `seq` and their names take in a line.
    private static let holeByteCount = 128

    /// Makes an empty queue.
    ///
    /// - Parameter capacity: the room in bytes, rounded up to a power of two, 4 KiB at least.
    public init(capacity: Int) {
        ring = ByteRing(minimum: capacity)
    }

    /// Whether nothing waits to be drained.
    public var isEmpty: Bool { byteCount == 0 }

    /// The bytes that wait to be drained: of the moment.
    public var byteCount: Int {
        let taken = taken.load(ordering: .acquiring)
        return Int(truncatingIfNeeded: published.load(ordering: .acquiring) &- taken)
    }

    /// The room in bytes, of which a record takes ``recordOverhead`` more than its own bytes.
    public var capacity: Int { ring.capacity }

    /// Whether `record` could be taken by an empty queue.
    ///
    /// Where not, waiting does not help: the record is too large for this log, and what it is about must be refused.
    public func canEverHold(_ record: borrowing AuditRecord) -> Bool {
        record.byteCount + Self.recordOverhead <= ring.capacity
            && record.byteCount + Self.holeByteCount <= AuditChain.maximumLineByteCount
    }
}

// MARK: - The producer's side

extension AuditQueue {
    /// Takes a finished record.
    ///
    /// - Parameters:
    ///   - record: finished.
    ///   - reserve: the room in bytes that must be left behind it, for records that are still to come whatever happens;
    ///     each takes ``recordOverhead`` more than its own bytes.
    /// - Returns: what can be redeemed for a receipt; nothing where there is no room: then nothing was taken, and
    ///   ``takeStarvation()`` tells the consumer. Ask ``canEverHold(_:)`` whether there ever will be room.
    public func submit(_ record: borrowing AuditRecord, leaving reserve: Int = 0) -> AuditTicket? {
        guard let holes = record.holes else { preconditionFailure("an unfinished record is not submitted") }
        guard canEverHold(record) else { return nil }
        let position = published.load(ordering: .relaxed)
        let needed = Self.recordOverhead + holes.count
        let room = needed + reserve
        guard hasRoom(for: room, at: position) || hasRoomAfterAll(for: room, at: position) else { return nil }
        writeHeader(holes, at: position)
        ring.write(record.contents, at: position + UInt64(Self.recordOverhead))
        let end = position + UInt64(needed)
        published.store(end, ordering: .releasing)
        return AuditTicket(position: end, permits: record.permits)
    }

    /// Whether a ticket's record is as safe as `durability` asks: with `synced`, whether it is on disk.
    public func isSafe(_ ticket: borrowing AuditTicket, durability: AuditDurability) -> Bool {
        switch durability {
        case .batched: true
        case .synced: ticket.position <= acknowledged.load(ordering: .acquiring)
        }
    }

    /// Exchanges a ticket of this queue for the evidence that a request may go on; a ticket can be spent once.
    ///
    /// - Returns: nothing where the record is not safe yet (ask ``isSafe(_:durability:)`` first: the ticket is spent), or
    ///   where it does not say that a request is allowed.
    public func redeem(_ ticket: consuming AuditTicket, durability: AuditDurability) -> AuditReceipt? {
        guard isSafe(ticket, durability: durability), ticket.permits else { return nil }
        return AuditReceipt()
    }

    private func hasRoom(for needed: Int, at position: UInt64) -> Bool {
        let used = position - taken.load(ordering: .acquiring)
        return ring.capacity - Int(used) >= needed
    }

    /// Leaves word that a record found no room, and looks once more: the consumer may have drained in between, without
    /// having seen that word.
    private func hasRoomAfterAll(for needed: Int, at position: UInt64) -> Bool {
        starved.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return hasRoom(for: needed, at: position)
    }

    private func writeHeader(_ holes: RecordHoles, at position: UInt64) {
        var header: [12 of UInt8] = .init(repeating: 0)
        for index in 0..<4 {
            header[index] = UInt8(truncatingIfNeeded: holes.count >> (8 * index))
            header[4 + index] = UInt8(truncatingIfNeeded: holes.previousOffset >> (8 * index))
            header[8 + index] = UInt8(truncatingIfNeeded: holes.sequenceOffset >> (8 * index))
        }
        ring.write(header.span, at: position)
    }
}

// MARK: - The consumer's side

extension AuditQueue {
    /// Moves records out of the ring, each made the chain's next line at the end of `lines`.
    ///
    /// - Parameters:
    ///   - chain: gives each line its `prev` and `seq`.
    ///   - lines: where the lines go.
    ///   - bytes: no further record is taken once `lines` holds that many bytes.
    /// - Returns: the number of records moved.
    public func drain(into chain: inout AuditChain, _ lines: inout ByteQueue, upTo bytes: Int) -> Int {
        let end = published.load(ordering: .acquiring)
        var position = taken.load(ordering: .relaxed)
        var records = 0
        while position < end, lines.count < bytes {
            position = move(at: position, into: &chain, &lines)
            records += 1
        }
        taken.store(position, ordering: .releasing)
        return records
    }

    /// Makes every ticket of a drained record redeemable: everything drained so far is written, and synced if need be.
    public func acknowledge() {
        acknowledged.store(taken.load(ordering: .relaxed), ordering: .releasing)
    }

    /// Whether a record found no room since this was last asked; asked after draining, to wake who waits for room.
    public func takeStarvation() -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard starved.load(ordering: .relaxed) else { return false }
        return starved.exchange(false, ordering: .relaxed)
    }

    private func move(at start: UInt64, into chain: inout AuditChain, _ lines: inout ByteQueue) -> UInt64 {
        let (count, previous, sequence) = (number(at: start), number(at: start + 4), number(at: start + 8))
        let body = start + UInt64(Self.recordOverhead)
        let line = lines.count
        ring.read(previous, at: body, into: &lines)
        chain.appendPrevious(to: &lines, at: previous)
        ring.read(sequence - previous, at: body + UInt64(previous), into: &lines)
        chain.appendSequence(to: &lines)
        ring.read(count - sequence, at: body + UInt64(sequence), into: &lines)
        chain.endLine(&lines, from: line)
        return body + UInt64(count)
    }

    private func number(at position: UInt64) -> Int {
        var number = 0
        for index in 0..<4 { number |= Int(ring.byte(at: position + UInt64(index))) << (8 * index) }
        return number
    }
}

// MARK: - Evidence

/// The place of a record in its queue: what a worker keeps until the log has the record.
public struct AuditTicket: ~Copyable, Sendable {
    /// Behind the record's last byte; grows with every record of the queue.
    fileprivate let position: UInt64
    /// Whether the record says that a request is allowed.
    fileprivate let permits: Bool
}

/// Evidence that the log has accepted a record: nothing is forwarded without it.
///
/// Only a queue makes one, from a ticket whose record is as safe as the configured durability asks.
public struct AuditReceipt: ~Copyable, Sendable {
    fileprivate init() {}
}
